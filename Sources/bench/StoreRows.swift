import Basics
import CSQLite
import DataStore
import Models
import System
import WarehouseModels

/// Rows about the local store: durable saves, batches, queries and live queries, each beside raw SQLite on the same
/// schema with the same rows.
enum StoreRows {
    /// An entry as the counter's app makes it.
    static func entry(_ number: Int, pass: String = "P-1") throws -> CountEntry {
        let text = String(number)
        return try CountEntry(
            id: "T01-" + text, sessionID: "S-1", passID: pass, kind: .TALLY, itemID: "I-" + String(number % 500),
            quantity: Decimal3(number % 90 + 1), unit: "EA", baseQuantity: Decimal3(number % 90 + 1),
            expression: "4*6+" + text, code: "09521000000012", rawScan: "MDk1MjEwMDAwMDAxMg==", symbology: "]E0",
            authorID: "ann", deviceID: "T01", sequence: number,
            at: DateTime(milliseconds: 1_800_000_000_000 + Int64(number)), clockOffsetMs: 12, bootID: "b-1",
            uptimeMs: text, previousHash: "0f5a8f0c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d",
            hash: "1f5a8f0c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d", crewIDs: ["ann"],
            audience: ["counters"])
    }

    static func open(_ directory: TempDirectory, _ name: String) async throws -> DataStore {
        try await DataStore(
            schema: warehouse, at: .directory(directory.file(name)),
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .supervisor), checksParents: false))
    }

    /// A raw database and the inserts of what saves of entries wrote.
    private struct Reference {
        let database: RawSQLite
        let entry: OpaquePointer
        let outbox: OpaquePointer
        let rows: [[Value]]
        let outboxRows: [[Value]]

        /// What one durable save comes to.
        func save(_ index: Int) throws {
            try database.execute("BEGIN IMMEDIATE")
            try database.insert(entry, rows[index])
            try database.insert(outbox, outboxRows[index])
            try database.execute("COMMIT")
        }
    }

    /// The same where a caller that must not wait for the disk awaits it: the raw statements on a thread of their own. What
    /// lies between this and the reference are the two changes of thread, and no code of the store.
    private actor ReferenceThread {
        nonisolated let executor = ThreadExecutor(name: "raw-writer")
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
        private var reference: Reference?

        func open(_ directory: TempDirectory, like store: String, name: String) throws {
            reference = try raw(directory, like: store, name: name)
        }

        func save(_ index: Int) throws { try reference?.save(index) }
    }

    /// A raw database with a store's tables, and inserts of the rows that one save of an entry made there.
    private static func raw(_ directory: TempDirectory, like store: String, name: String) throws -> Reference {
        let source = try RawSQLite(directory.file(store) + "/store.sqlite")
        let database = try RawSQLite(directory.file(name))
        try database.copySchema(of: source)
        let outboxTable =
            try source.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%outbox%'").first?[0]
            .text
            ?? "outbox"
        let entries = try source.copy(of: "CountEntry")
        let outbox = try source.copy(of: outboxTable)
        return Reference(
            database: database, entry: try database.prepare(entries.sql), outbox: try database.prepare(outbox.sql),
            rows: entries.rows, outboxRows: outbox.rows)
    }

    static func saveDurable(_ scale: Double) async throws -> Row {
        let directory = try TempDirectory("bench-save")
        let store = try await open(directory, "store")
        let count = Int(2000 * scale)
        // The first ones warm both up; short rounds alternate, so that a slow disk hits both alike.
        for number in 0..<count { try await store.save(entry(number)) }
        let reference = try raw(directory, like: "store", name: "raw.sqlite")
        let awaited = ReferenceThread()
        try await awaited.open(directory, like: "store", name: "awaited.sqlite")
        var ours = Samples()
        var theirs = Samples()
        var awaiting = Samples()
        for round in 0..<10 {
            for index in 0..<count / 10 {
                let next = try entry(count + round * count + index)
                ours.add(try await asyncSeconds { try await store.save(next) })
            }
            for index in round * count / 10..<(round + 1) * count / 10 {
                theirs.add(try seconds { try reference.save(index) })
            }
            for index in round * count / 10..<(round + 1) * count / 10 {
                awaiting.add(try await asyncSeconds { try await awaited.save(index) })
            }
        }
        await store.close()
        let value = ours.percentile(0.5) * 1000
        let raw = theirs.percentile(0.5) * 1000
        return Row(
            id: "save-durable", value: value, unit: "ms", reference: raw, ratio: value / raw, target: "<= 1.3 x raw",
            met: value / raw <= 1.3,
            note: "ours \(ours.milliseconds); raw \(theirs.milliseconds); raw, awaited on a thread of its own "
                + awaiting.milliseconds)
    }

    static func saveBatch(_ scale: Double) async throws -> Row {
        let directory = try TempDirectory("bench-batch")
        let count = Int(10_000 * scale)
        let entries = try (0..<count).map { try entry($0) }
        var ours = Double.infinity
        for round in 0..<3 {
            let store = try await open(directory, "store\(round)")
            ours = min(
                ours,
                try await asyncSeconds {
                    try await store.transaction { tx in for entry in entries { try tx.save(entry) } }
                })
            await store.close()
        }
        var theirs = Double.infinity
        for round in 0..<3 {
            let reference = try raw(directory, like: "store0", name: "raw\(round).sqlite")
            theirs = min(
                theirs,
                try seconds {
                    try reference.database.execute("BEGIN IMMEDIATE")
                    for index in 0..<count {
                        try reference.database.insert(reference.entry, reference.rows[index])
                        try reference.database.insert(reference.outbox, reference.outboxRows[index])
                    }
                    try reference.database.execute("COMMIT")
                })
        }
        let value = Double(count) / ours
        let raw = Double(count) / theirs
        return Row(
            id: "save-batch", value: value, unit: "entries/s", reference: raw, ratio: value / raw,
            target: ">= 0.5 x raw", met: value / raw >= 0.5, note: "\(count) entries in one transaction")
    }

    static func query(_ scale: Double) async throws -> Row {
        let directory = try TempDirectory("bench-query")
        let store = try await open(directory, "store")
        let count = Int(10_000 * scale)
        try await store.transaction { tx in
            for number in 0..<count * 2 { try tx.save(entry(number, pass: number % 2 == 0 ? "P-1" : "P-2")) }
        }
        let raw = try RawSQLite(directory.file("store") + "/store.sqlite")
        let names = CountEntry.schema.fields.map { "\"\($0.name)\"" }.joined(separator: ",")
        let statement = try raw.prepare("SELECT \(names) FROM \"CountEntry\" WHERE passID = 'P-1' ORDER BY sequence")
        var ours = Double.infinity
        var theirs = Double.infinity
        // In turn, so that whatever else the machine does hits both alike.
        for _ in 0..<25 {
            ours = min(
                ours,
                try await asyncSeconds {
                    let found = try await store.query(
                        CountEntry.self, where: CountEntry.passID == "P-1", sort: [.ascending(CountEntry.sequence)])
                    precondition(found.count == count, "the query gave \(found.count) of \(count) rows")
                })
            theirs = min(
                theirs,
                seconds {
                    var rows = 0
                    var bytes = 0
                    while sqlite3_step(statement) == SQLITE_ROW {
                        rows += 1
                        for column in 0..<sqlite3_column_count(statement) {
                            switch sqlite3_column_type(statement, column) {
                            case SQLITE_INTEGER: bytes &+= Int(sqlite3_column_int64(statement, column))
                            case SQLITE_NULL: break
                            default:
                                let text = sqlite3_column_text(statement, column)
                                let length = Int(sqlite3_column_bytes(statement, column))
                                bytes &+=
                                    String(decoding: UnsafeBufferPointer(start: text, count: length), as: UTF8.self)
                                    .utf8.count
                            }
                        }
                    }
                    sqlite3_reset(statement)
                    precondition(rows == count && bytes != 0, "the raw loop gave \(rows) rows")
                })
        }
        sqlite3_finalize(statement)
        await store.close()
        let value = Double(count) / ours
        let reference = Double(count) / theirs
        return Row(
            id: "query-10k", value: value, unit: "rows/s", reference: reference, ratio: value / reference,
            target: ">= 0.5 x raw", met: value / reference >= 0.5, note: "\(count) entries by index, in order")
    }

    static func live(_ scale: Double) async throws -> Row {
        let directory = try TempDirectory("bench-live")
        let store = try await open(directory, "store")
        let count = Int(100_000 * scale)
        try await store.transaction { tx in for number in 0..<count { try tx.save(entry(number)) } }
        var snapshots = store.observeQuery(CountEntry.self, sort: [.ascending(CountEntry.sequence)]).makeAsyncIterator()
        guard var held = try await snapshots.next() else { throw RawSQLite.Failure(description: "no first snapshot") }
        precondition(held.items.count == count, "the live query gave \(held.items.count) of \(count) rows")
        var samples = Samples()
        var saves = Samples()
        let clock = ContinuousClock()
        for number in 0..<200 {
            let next = try entry(count + number)
            saves.add(try await asyncSeconds { try await store.save(next) })
            // From the committed save to the snapshot that shows it.
            let start = clock.now
            while held.items.count < count + number + 1 {
                guard let snapshot = try await snapshots.next() else { break }
                held = snapshot
            }
            samples.add((clock.now - start).inSeconds)
        }
        await store.close()
        let value = samples.percentile(0.5) * 1000
        return Row(
            id: "live-100k", value: value, unit: "ms", target: "< 1 ms",
            met: samples.percentile(0.99) < 0.001,
            note:
                "\(count) rows, previous snapshot held: \(samples.milliseconds) from the committed save to the snapshot"
        )
    }
}
