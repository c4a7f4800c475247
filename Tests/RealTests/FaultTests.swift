import Basics
import StoreWorkload
import System
import Testing

/// A store in a process of its own, over a disk that does not do what it should at a moment of the test's choosing.
///
/// `faults.c` comes between that process and the system; `storevictim` goes through one of each kind of write. Every
/// barrier is met by every fault, and after each the store must hold what was acknowledged, whole, and go on.
@Suite(.enabled(if: Faults.isPossible, "needs cc and the built storevictim"), .timeLimit(.minutes(120)))
struct FaultTests {
    /// What happens at a barrier: the process dies; the machine dies, with what was never synced gone, or some of it there.
    @Test(
        "A process or a machine that dies at any barrier loses nothing acknowledged, and keeps nothing half",
        arguments: Faults.deaths)
    func deaths(_ mode: String) async throws {
        let faults = try await Faults.shared.value
        for moment in Faults.moments(faults.barriers, everyNth: mode == "cut" ? 1 : faults.sampled) {
            let seeds = mode == "torn" ? Faults.seeds : 1
            for seed in 1...seeds { try await faults.check(mode, at: moment, seed: seed) }
        }
    }

    @Test(
        "A sync that fails, once or from then on, is told, loses nothing, and the store goes on with the next",
        arguments: ["eio", "eio-on"])
    func failedSyncs(_ mode: String) async throws {
        let faults = try await Faults.shared.value
        for moment in Faults.moments(faults.barriers, everyNth: faults.sampled) {
            try await faults.check(mode, at: moment)
        }
    }

    @Test("What a failed sync left unwritten is written before anything else is promised, and the power may go then")
    func gaps() async throws {
        let faults = try await Faults.shared.value
        for moment in Faults.moments(faults.barriers, everyNth: faults.sampled) {
            for later in Faults.isLong ? [1, 2, 3, 5, 8] : [2] {
                try await faults.check("drop", at: moment, then: later)
            }
        }
    }

    @Test(
        "A disk that is full at any write, once or from then on, or in the middle of one, loses nothing",
        arguments: ["full", "short", "full-on"])
    func fullDisks(_ mode: String) async throws {
        let faults = try await Faults.shared.value
        let nth = Faults.isLong ? 1 : 1 + faults.writes / 8
        for moment in Faults.moments(faults.writes, everyNth: nth) { try await faults.check(mode, at: moment) }
    }
}

/// The shim, the victim, and what the store must hold after each step.
struct Faults: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let victim = (Built.folder ?? ".") + "/storevictim"
    static let isPossible = Built.folder != nil && Files.exists(victim) && Files.exists("/usr/bin/cc")
    static let isLong = Built.environment("TORTURE") != nil
    static let seeds = isLong ? 20 : 1
    static let deaths = isLong ? ["kill", "cut", "after", "torn"] : ["cut", "torn"]
    static let shared = Task { try await Faults() }

    let directory: TempDirectory
    let shim: String
    /// What the store holds before the first step, and after each.
    let states: [String]
    let barriers: Int
    let writes: Int
    /// Every barrier in `make torture`, and where dying is tested; else enough of them.
    var sampled: Int { Faults.isLong ? 1 : 1 + barriers / 5 }

    init() async throws {
        directory = try TempDirectory("faults")
        shim = directory.file("faults.so")
        let source = Files.parent(of: #filePath) + "/faults.c"
        let built = try await ChildProcess.run(
            ["/usr/bin/cc", "-shared", "-fPIC", "-O2", source, "-o", shim, "-ldl"])
        guard built.status.isSuccess else {
            throw Failure(description: String(decoding: built.standardError, as: UTF8.self))
        }
        states = try Faults.states(directory)
        let count = directory.file("count")
        let place = try Faults.place(in: directory, "count-store")
        let whole = try await Faults.start(place, shim, ["FAULT_MODE": "count", "FAULT_COUNT": count])
        guard whole.status.isSuccess else { throw Failure(description: "the workload itself fails: \(whole)") }
        let numbers = try Files.readText(count).split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        (barriers, writes) = (numbers.first ?? 0, numbers.last ?? 0)
        guard barriers > 20, writes > 50 else { throw Failure(description: "the shim counts nothing: \(numbers)") }
    }

    /// Every N-th moment and the last; a run of a failing moment alone: `FAULT_ONLY=N`.
    static func moments(_ count: Int, everyNth nth: Int) -> [Int] {
        if let only = Built.environment("FAULT_ONLY").flatMap({ Int($0) }) { return [only] }
        return Array(stride(from: 1, through: count, by: nth))
    }

    private struct Place {
        let store: String
        let acknowledged: String
    }

    private static func place(in directory: TempDirectory, _ name: String) throws -> Place {
        let store = directory.file(name)
        try Files.createDirectory(store)
        return Place(store: store, acknowledged: store + ".acknowledged")
    }

    private static func start(_ place: Place, _ shim: String, _ faults: [String: String]) async throws -> ChildResult {
        var environment = faults
        environment["LD_PRELOAD"] = shim
        environment["FAULT_ROOT"] = place.store
        return try await ChildProcess.run(
            [victim, place.store, place.acknowledged], environment: environment)
    }

    /// The states that a whole run goes through, each read from a store that went so far and no further.
    private static func states(_ directory: TempDirectory) throws -> [String] {
        struct Enough: Error {}
        var states: [String] = []
        for last in -1..<Workload.steps.count {
            let path = directory.file("state\(last)")
            try Files.createDirectory(path)
            if last >= 0 {
                do {
                    _ = try Workload(directory: path).run {
                        if $0 == last { throw Enough() }
                    } failed: { _, _ in
                    }
                } catch is Enough {}
            }
            states.append(try StoreState.read(path))
            try Files.removeTree(path)
        }
        return states
    }

    /// Hurts one run and looks at what is left.
    func check(_ mode: String, at moment: Int, then later: Int = 0, seed: Int = 1) async throws {
        let name = "\(mode) at \(moment)" + (later > 0 ? " and \(later)" : "") + (seed > 1 ? " seed \(seed)" : "")
        let place = try Faults.place(in: directory, "\(mode)-\(moment)-\(later)-\(seed)")
        let result = try await Faults.start(
            place, shim,
            ["FAULT_MODE": mode, "FAULT_AT": "\(moment)", "FAULT_THEN": "\(later)", "FAULT_SEED": "\(seed)"])
        let told = String(decoding: result.standardError, as: UTF8.self)
        switch result.status {
        case .code(0), .code(3), .signal(9): break
        default: Issue.record("\(name): the store's process ended with \(result.status): \(told)")
        }
        let text = Files.exists(place.acknowledged) ? try Files.readText(place.acknowledged) : ""
        let done = text.split(separator: "\n").compactMap { Int($0) }.last ?? -1
        look(at: place.store, name, done: done, isCut: ["cut", "after", "torn", "drop"].contains(mode), told)
        try Files.removeTree(place.store)
        try Files.remove(place.acknowledged)
    }

    /// Compares what a store holds with what it must, and lets it go on.
    ///
    /// - Parameters:
    ///   - done: the last step that was acknowledged before
    ///   - reached: the last that may have been carried out whole, where that is another
    ///   - isCut: whether what was not promised to be durable may be gone
    func look(at store: String, _ name: String, done: Int, reached: Int? = nil, isCut: Bool, _ told: String = "") {
        let safe = isCut ? (0...max(done, 0)).last { $0 <= done && Workload.steps[$0].isDurable } ?? -1 : done
        do {
            let state = try StoreState.read(store)
            let allowed = (safe...min((reached ?? done) + 1, Workload.steps.count - 1)).map { states[$0 + 1] }
            if !allowed.contains(state) {
                let known = states.firstIndex(of: state).map { "as after step \($0 - 1)" } ?? state
                Issue.record(
                    "\(name): after step \(done) (\(done < 0 ? "none" : Workload.steps[done].name)) it is \(known)\n\(told)"
                )
            }
            if let trouble = try StoreState.goOn(store) { Issue.record("\(name): \(trouble)") }
        } catch {
            Issue.record("\(name): after step \(done) it does not open: \(error)\n\(told)")
        }
    }
}
