// bench [--rows id,id] [--scale 0.1] [--out FILE]: measures the table of DESIGN §9 and writes it for programs.
import Basics
import Glibc
import System

let available: [(id: String, run: @Sendable (Double) async throws -> Row)] = [
    ("save-durable", StoreRows.saveDurable), ("save-batch", StoreRows.saveBatch), ("query-10k", StoreRows.query),
    ("live-100k", StoreRows.live),
]

func bench(_ words: [String]) async -> Int32 {
    do {
        var arguments = CommandLineArguments(words)
        let chosen = try arguments.value("--rows", "id,id")?.split(separator: ",").map(String.init)
        let scale = try arguments.value("--scale", "NUMBER").map { Double($0) ?? 1 } ?? 1
        let out = try arguments.value("--out", "FILE") ?? ".build/bench.json"
        _ = try arguments.rest()
        for id in chosen ?? [] where !available.contains(where: { $0.id == id }) {
            throw UsageError("there is no row \(id); there are \(available.map(\.id).joined(separator: ", "))")
        }
        var rows: [Row] = []
        for (id, run) in available where chosen?.contains(id) ?? true {
            StandardError.write("measuring \(id) …\n")
            rows.append(try await run(scale))
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
