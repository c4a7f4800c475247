import Basics
import DataStore
import Glibc
import Models
import System
import WarehouseModels

/// From the start of the built program to its first paint, on a large store.
enum StartRow {
    static func coldStart(_ scale: Double) async throws -> Row {
        let target = "<= 100 ms, binary < 15 MB, < 60 MB"
        guard let program = (installed + [Files.parent(of: executablePath()) + "/bincount"]).first(where: Files.exists)
        else {
            return Row(
                id: "cold-start", value: 0, unit: "ms", target: target, met: false,
                note: "not measured: there is no program to start; make bench builds it")
        }
        let directory = try TempDirectory("bench-start")
        let data = directory.file("store")
        let rows = try await fill(data, scale)
        var first = Samples()
        var whole = Samples()
        var memory = 0.0
        for _ in 0..<7 {
            let start = try start(program, data)
            first.add(start.first)
            whole.add(start.whole)
            memory = max(memory, start.megabytes)
        }
        let size = strippedSize()
        let value = first.percentile(0.5) * 1000
        return Row(
            id: "cold-start", value: value, unit: "ms", target: target,
            met: value <= 100 && whole.percentile(0.5) <= 0.1 && memory < 60 && (size ?? 99) < 15,
            note:
                "\(program), \(rows) rows, warm file cache, 7 starts: first bytes \(first.milliseconds); screen whole "
                + "\(whole.milliseconds); \(short(memory)) MB; "
                + (size.map { "stripped static binary \(short($0)) MB" }
                    ?? "no stripped static binary here to weigh (make install builds one)"))
    }

    /// A terminal's store as large as a site's.
    private static func fill(_ data: String, _ scale: Double) async throws -> Int {
        let store = try await DataStore(
            schema: warehouse, at: .directory(data),
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .terminal), isLocalOnly: true,
                checksParents: false))
        let (bins, items, barcodes) = (Int(60_000 * scale), Int(50_000 * scale), Int(125_000 * scale))
        try await store.transaction { tx in
            for number in 0..<bins {
                try tx.save(
                    Bin(
                        id: "B-\(number)", code: "A\(number)", zoneID: "Z-\(number % 40)", walkSequence: number,
                        kind: .rack, barcode: "BIN\(number)", checkDigits: "4711", active: true))
            }
            for number in 0..<items {
                try tx.save(
                    Item(
                        id: "I-\(number)", sku: "SKU-\(number)", name: "Hex bolt \(number)", baseUnit: "EA",
                        decimals: 0,
                        tracking: .NONE, hasExpiry: false, active: true))
            }
            for number in 0..<barcodes {
                try tx.save(
                    Barcode(
                        id: "C-\(number)", value: "0952100\(number)", itemID: "I-\(number % max(1, items))",
                        source: "erp"))
            }
        }
        await store.close()
        return bins + items + barcodes
    }

    /// Starts the program on a pseudo terminal: seconds to its first bytes, to the last before it is quiet, its memory.
    private static func start(
        _ program: String, _ data: String
    ) throws -> (first: Double, whole: Double, megabytes: Double) {
        let terminal = try PseudoTerminal(columns: 80, rows: 24)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 { posix_spawn_file_actions_adddup2(&actions, terminal.slave, Int32(descriptor)) }
        posix_spawn_file_actions_addclose(&actions, terminal.master)
        let words = copies([program, "count", "--data", data])
        let variables = copies(["TERM=xterm-256color", "LANG=C.UTF-8", "HOME=\(data)"])
        defer { for pointer in words + variables { free(pointer) } }
        var pid: pid_t = 0
        let begin = ContinuousClock.now
        guard posix_spawn(&pid, program, &actions, nil, words + [nil], variables + [nil]) == 0 else {
            throw BenchFailure("cannot start \(program)")
        }
        defer {
            kill(pid, SIGTERM)
            _ = terminal.readUntilQuiet(milliseconds: 200)
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        var bytes = terminal.read(milliseconds: 10_000)
        let first = (ContinuousClock.now - begin).inSeconds
        var whole = first
        while true {
            let more = terminal.read(milliseconds: 300)
            if more == 0 { break }
            bytes += more
            whole = (ContinuousClock.now - begin).inSeconds
        }
        // A screen is more than an error's line.
        guard bytes > 200, kill(pid, 0) == 0 else {
            throw BenchFailure("bincount count drew no screen (\(bytes) bytes)")
        }
        return (first, whole, processMegabytes(peak: true, of: pid))
    }

    /// Where `make install` builds what it installs.
    private static let installed = [
        ".build-install/release/bincount", ".build-install/x86_64-unknown-linux-gnu/release/bincount",
    ]

    /// Megabytes of the binary that `make install` builds, once it is stripped; nil where it was not built.
    private static func strippedSize() -> Double? {
        guard let path = installed.first(where: Files.exists), let directory = try? TempDirectory("bench-strip") else {
            return nil
        }
        let copy = directory.file("bincount")
        var arguments = copies(["strip", "-o", copy, path]) + [nil]
        defer { for pointer in arguments { free(pointer) } }
        var pid: pid_t = 0
        guard posix_spawnp(&pid, "strip", nil, nil, &arguments, environ) == 0 else { return nil }
        waitpid(pid, nil, 0)
        return Files.size(copy).map { Double($0) / 1_000_000 }
    }
}

/// C strings that the caller frees.
private func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] { texts.map { text in strdup(text) } }
