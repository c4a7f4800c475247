import Basics
import System

/// The first sync of a million rows by a terminal that is killed three times on its way.
enum ResumeRow {
    static func resume(_ scale: Double) async throws -> Row {
        let floor = try await Floor("resume")
        let count = try await SyncRows.seed(floor, scale)
        let whole = Int(1_000_000 * scale)
        try await SyncRows.seedMore(floor, from: count, to: whole)
        let start = ContinuousClock.now
        var kept: [Int] = []
        for part in 1...3 { kept.append(try await killed(floor, after: whole * part / 4)) }
        let last = try await SyncRows.device(floor, "cut", whole)
        let time = (ContinuousClock.now - start).inSeconds
        await floor.stop()
        // What was on disk at a kill must be there at the next: pages are fetched once.
        let grows = kept == kept.sorted()
        return Row(
            id: "resumed-sync", value: Double(whole) / time, unit: "rows/s", target: "whole, < 150 MB",
            met: grows && last.megabytes < 150,
            note: "\(whole) rows in \(short(time)) s with three kill -9, with "
                + kept.map(String.init).joined(separator: ", ") + " rows on disk; the last start took "
                + "\(short(last.seconds)) s, its process at its largest \(short(last.megabytes)) MB")
    }

    /// Starts the terminal, kills it once so many rows are on its disk, and gives how many are there then. While it makes
    /// its tables the file may be locked: then it is looked at again.
    private static func killed(_ floor: Floor, after rows: Int) async throws -> Int {
        let terminal = try ChildProcess(SyncRows.terminal(floor, "cut"))
        let hasEnded = Locked(false)
        Task {
            _ = await terminal.wait()
            hasEnded.withLock { $0 = true }
        }
        while !hasEnded.current, ((try? stored(floor)) ?? 0) < rows { try await Task.sleep(for: .milliseconds(20)) }
        terminal.send(.kill)
        guard case .signal = await terminal.wait() else {
            throw BenchFailure(
                "the terminal ended before it had \(rows) rows: " + printable(terminal.standardErrorText))
        }
        return try stored(floor)
    }

    private static func stored(_ floor: Floor) throws -> Int {
        let path = floor.directory.file("cut") + "/store.sqlite"
        guard Files.exists(path) else { return 0 }
        let database = try RawSQLite(path)
        // The tables come with the store's first transaction.
        let tables = try database.rows("SELECT 1 FROM sqlite_schema WHERE name IN ('Bin','Item','Barcode')")
        guard tables.count == 3 else { return 0 }
        let sum = try database.rows(
            "SELECT (SELECT count(*) FROM Bin)+(SELECT count(*) FROM Item)+(SELECT count(*) FROM Barcode)")
        return Int(sum.first?.first?.integer ?? 0)
    }
}
