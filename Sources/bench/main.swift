// bench [--rows id,id] [--scale 0.1] [--minutes N] [--out FILE]: measures the table of DESIGN §9 and writes it for programs.
import Basics
import Glibc
import System

let available: [(id: String, run: @Sendable (Double) async throws -> Row)] = [
    ("save-durable", StoreRows.saveDurable), ("save-batch", StoreRows.saveBatch), ("query-10k", StoreRows.query),
    ("live-100k", StoreRows.live), ("first-sync", SyncRows.firstSync), ("drain", SyncRows.drain),
    ("propagate", FloorRows.propagate), ("hub-mutations", HubRows.mutations), ("hub-fanout", HubRows.fanout),
    ("outage", FloorRows.outage), ("key-to-tty", TerminalRows.keyToTTY), ("cold-start", StartRow.coldStart),
    ("resumed-sync", ResumeRow.resume), ("reconcile", ReconcileRow.reconcile),
]

/// Rows that are measured only when they are asked for; `--minutes` says how long.
let onRequest: [(id: String, run: @Sendable (Double) async throws -> Row)] = [
    ("soak", SoakRow.soak), ("idle", IdleRow.idle),
]

func bench(_ words: [String]) async -> Int32 {
    do {
        // One row's terminal runs in a process of its own.
        if words.first == "device" {
            var arguments = CommandLineArguments(Array(words.dropFirst()))
            try await SyncRows.device(&arguments)
            return 0
        }
        // And the hub of some rows, so that its memory is its own.
        if words.first == "hub", words.count == 2 {
            try await SoakRow.serve(words[1])
            return 0
        }
        var arguments = CommandLineArguments(words)
        let chosen = try arguments.value("--rows", "id,id")?.split(separator: ",").map(String.init)
        let scale = try arguments.value("--scale", "NUMBER").map { Double($0) ?? 1 } ?? 1
        if let text = try arguments.value("--minutes", "N") {
            guard let minutes = Double(text), minutes > 0 else { throw UsageError("--minutes takes a number above 0") }
            for length in [SoakRow.length, IdleRow.length] { length.withLock { $0 = minutes * 60 } }
        }
        let out = try arguments.value("--out", "FILE") ?? ".build/bench.json"
        _ = try arguments.rest()
        let known = available + onRequest
        for id in chosen ?? [] where !known.contains(where: { $0.id == id }) {
            throw UsageError("there is no row \(id); there are \(known.map(\.id).joined(separator: ", "))")
        }
        var rows: [Row] = []
        for (id, run) in chosen.map({ chosen in known.filter { chosen.contains($0.id) } }) ?? available {
            StandardError.write("measuring \(id) …\n")
            do {
                rows.append(try await run(scale))
            } catch {
                // The others are measured all the same; this one says why it was not.
                rows.append(
                    Row(id: id, value: 0, unit: "", target: "-", met: false, note: "failed: \(printable("\(error)"))"))
            }
        }
        Report.print(rows)
        try Report.write(rows, to: out)
        print("written to \(out)")
        return 0
    } catch let error as UsageError {
        StandardError.write("bench: \(error)\n")
        return 2
    } catch {
        StandardError.write("bench: \(error)\n")
        return 1
    }
}

/// Standard error, one line at a time.
enum StandardError {
    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}

exit(await bench(Array(CommandLine.arguments.dropFirst())))
