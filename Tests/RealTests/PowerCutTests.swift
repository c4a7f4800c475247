import Basics
import StoreWorkload
import System
import Testing

/// The plug is pulled on a real ext4, in an image of its own, while our store writes to it. Needs root and loop devices,
/// and takes its time: only in `make torture`.
@Suite(.enabled(if: PowerCut.isPossible, "needs TORTURE=1, root, loop devices and mkfs.ext4"), .serialized)
struct PowerCutTests {
    @Test("A machine whose power goes at any moment loses nothing acknowledged", .timeLimit(.minutes(20)))
    func anyMoment() async throws {
        let cut = try await PowerCut()
        do {
            for round in 0..<PowerCut.rounds {
                for step in -1..<Workload.steps.count - 1 { try await cut.round(after: step, number: round) }
            }
        } catch {
            await cut.end()
            throw error
        }
    }
}

struct PowerCut {
    static let isPossible =
        Faults.isPossible && Faults.isLong && Files.exists("/dev/loop-control") && Files.exists("/usr/sbin/mkfs.ext4")
        && (try? Files.readText("/proc/self/status"))?.contains("\nUid:\t0\t") == true
    static let rounds = Built.environment("POWER_ROUNDS").flatMap { Int($0) } ?? 3

    let faults: Faults
    let directory: TempDirectory
    let tool: String
    var image: String { directory.file("disk.img") }
    var mount: String { directory.file("disk") }
    var acknowledged: String { directory.file("acknowledged") }

    init() async throws {
        faults = try await Faults.shared.value
        directory = try TempDirectory("powercut")
        tool = directory.file("powercut")
        try await PowerCut.sh("/usr/bin/cc", "-O2", Files.parent(of: #filePath) + "/powercut.c", "-o", tool)
        try Files.createDirectory(mount)
        try await PowerCut.sh("truncate", "-s", "64M", image)
        try await PowerCut.sh("mkfs.ext4", "-q", "-F", image)
    }

    private static func sh(_ words: String...) async throws {
        let result = try await ChildProcess.run(words)
        guard result.status.isSuccess else {
            throw Faults.Failure(description: "\(words): \(String(decoding: result.standardError, as: UTF8.self))")
        }
    }

    private func done() -> Int {
        ((try? Files.readText(acknowledged)) ?? "").split(separator: "\n").compactMap { Int($0) }.last ?? -1
    }

    /// Lets the store work until it acknowledged a step, ends the file system somewhere in the next, and looks.
    func round(after step: Int, number: Int) async throws {
        let store = mount + "/store-\(number)-\(step + 1)"
        try Files.remove(acknowledged)
        try await PowerCut.sh("mount", "-o", "loop", image, mount)
        let victim = try ChildProcess([Faults.victim, store, acknowledged])
        while done() < step { await Task.yield() }
        let before = done()
        try await PowerCut.sh(tool, mount)
        _ = await victim.wait()
        let reached = done()
        try await unmount()
        try await PowerCut.sh("mount", "-o", "loop", image, mount)
        // Only what was acknowledged before the cut was: a sync that waits for the journal just when it is given up is
        // answered as if it had been carried out (`jbd2_complete_transaction`), which no real cut lives to do.
        faults.look(at: store, "the power went after step \(step)", done: before, reached: reached, isCut: true)
        try Files.removeTree(store)
        try await unmount()
    }

    /// A child that another test starts holds this process's files until it is another program.
    private func unmount() async throws {
        for _ in 0..<100 {
            if try await ChildProcess.run(["umount", mount]).status.isSuccess { return }
        }
        try await PowerCut.sh("umount", mount)
    }

    func end() async { _ = try? await ChildProcess.run(["umount", mount]) }
}
