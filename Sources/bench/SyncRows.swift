import Basics
import CSQLite
import DataStore
import Models
import SyncEngine
import System
import WarehouseModels

/// Rows about a terminal's own synchronising: its first sync, and its return after a shift without a link.
enum SyncRows {
    // MARK: first-sync

    static func firstSync(_ scale: Double) async throws -> Row {
        let floor = try await Floor("first")
        let count = try await seed(floor, scale)
        let site = try await device(floor, "site", count)
        // The rate is the site's; the memory must hold for the largest.
        let whole = Int(1_000_000 * scale)
        try await seedMore(floor, from: count, to: whole)
        let large = try await device(floor, "large", whole)
        await floor.stop()
        let raw = try bulk(floor.directory.file("site") + "/store.sqlite", floor.directory.file("raw.sqlite"))
        let reference = Double(count) / raw
        let value = Double(count) / site.seconds
        return Row(
            id: "first-sync", value: value, unit: "rows/s", reference: reference, ratio: value / reference,
            target: ">= 60000 rows/s, < 150 MB", met: value >= 60_000 && large.megabytes < 150,
            note:
                "\(count) rows, \(short(site.seconds)) s from start to ready, \(short(site.megabytes)) MB; \(whole) rows: "
                + "\(short(Double(whole) / large.seconds)) rows/s, the terminal's process at its largest "
                + "\(short(large.megabytes)) MB; the hub in another process; raw: one transaction, the same indexes")
    }

    /// Fetches everything in a process of its own, so that its memory is its own.
    static func device(
        _ floor: Floor, _ name: String, _ count: Int
    ) async throws -> (seconds: Double, megabytes: Double) {
        let result = try await ChildProcess.run(terminal(floor, name), timeoutMilliseconds: 600_000)
        guard result.status.isSuccess, let report = try? JSONValue(parsing: result.standardOutput),
            let time = report["seconds"]?.double, let memory = report["megabytes"]?.double,
            report["rows"]?.integer == Int64(count)
        else {
            throw BenchFailure(
                "the terminal ended with \(result.status): "
                    + printable(String(decoding: result.standardOutput + result.standardError, as: UTF8.self)))
        }
        return (time, memory)
    }

    /// The command line of such a process.
    static func terminal(_ floor: Floor, _ name: String) -> [String] {
        [executablePath(), "device", "--hub", floor.hub.url, "--data", floor.directory.file(name)]
    }

    /// Puts the warehouse's bins, items and barcodes into the hub; gives their number.
    static func seed(_ floor: Floor, _ scale: Double) async throws -> Int {
        let (bins, items, barcodes) = (Int(60_000 * scale), Int(50_000 * scale), Int(125_000 * scale))
        try await push(floor, bins) { number in
            Bin(
                id: "B-\(number)", code: "A\(number / 1000)-\(number % 1000)", zoneID: "Z-\(number % 40)",
                walkSequence: number, kind: .rack, aisle: "A\(number / 1000)", level: "1", barcode: "BIN\(number)",
                checkDigits: "4711", active: true)
        }
        try await push(floor, items) { number in
            Item(
                id: "I-\(number)", sku: "SKU-\(number)", name: "Hex bolt M8x\(number) zinc plated", baseUnit: "EA",
                decimals: 0, abcClass: "B", tracking: .NONE, hasExpiry: false, active: true)
        }
        try await push(floor, barcodes) { barcode($0, items) }
        return bins + items + barcodes
    }

    private static func barcode(_ number: Int, _ items: Int) -> Barcode {
        Barcode(
            id: "C-\(number)", value: "0952100\(1_000_000 + number)", itemID: "I-\(number % max(1, items))",
            source: "erp")
    }

    /// Puts more barcodes into the hub, until it has so many rows.
    static func seedMore(_ floor: Floor, from count: Int, to whole: Int) async throws {
        try await push(floor, whole - count) { barcode(count + $0, 50_000) }
    }

    private static func push<M: Model>(_ floor: Floor, _ count: Int, _ make: @escaping @Sendable (Int) -> M)
        async throws
    {
        let next = Locked(0)
        try await withThrowingDiscardingTaskGroup { group in
            for _ in 0..<3 {
                let client = try floor.desk()
                group.addTask {
                    var writer = EntryWriter()
                    while true {
                        let start = next.withLock { next in
                            defer { next += 100 }
                            return next
                        }
                        guard start < count else { return }
                        let records = (start..<min(count, start + 100)).map(make)
                        try await client.push(try writer.body(records), of: records.count)
                    }
                }
            }
        }
    }

    /// The terminal's side, in its own process: fetches everything and prints how long that took.
    static func device(_ arguments: inout CommandLineArguments) async throws {
        let hub = try arguments.value("--hub", "URL") ?? ""
        let data = try arguments.value("--data", "DIR") ?? ""
        _ = try arguments.rest()
        let driver = try AppSyncDriver(url: hub, key: Floor.counterKey, device: "T01", person: "ann")
        let store = try await DataStore(
            schema: warehouse, at: .directory(data),
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .terminal), checksParents: false),
            driver: driver)
        let events = store.events
        let time = try await asyncSeconds {
            try await store.start()
            for await event in events where event == .ready { break }
        }
        let rows =
            try await store.count(Bin.self) + store.count(Item.self) + store.count(Barcode.self)
        let megabytes = processMegabytes(peak: true)
        await store.close()
        print("{\"seconds\":\(time),\"rows\":\(rows),\"megabytes\":\(megabytes)}")
    }

    /// Seconds of a bulk insert of a store's bins, items and barcodes into the same tables.
    private static func bulk(_ path: String, _ copy: String) throws -> Double {
        let source = try RawSQLite(path)
        let database = try RawSQLite(copy)
        try database.copySchema(of: source)
        let tables = try ["Bin", "Item", "Barcode"].map { table in
            let copy = try source.copy(of: table)
            return (statement: try database.prepare(copy.sql), rows: copy.rows)
        }
        let time = try seconds {
            try database.execute("BEGIN IMMEDIATE")
            for table in tables {
                for row in table.rows { try database.insert(table.statement, row) }
            }
            try database.execute("COMMIT")
        }
        for table in tables { sqlite3_finalize(table.statement) }
        return time
    }

    // MARK: drain

    static func drain(_ scale: Double) async throws -> Row {
        let floor = try await Floor("drain")
        let (store, driver) = try await floor.store("T01", .terminal, person: "p0")
        let count = max(1, Int(5000 * scale))
        // A shift: one save for each entry would take its hours of fsyncs; what waits at its end is the same.
        for start in stride(from: 0, to: count, by: 100) {
            try await store.transaction { tx in
                for number in start..<min(count, start + 100) { try tx.save(Floor.entry("D-", number, person: 0)) }
            }
        }
        let events = store.events
        let start = ContinuousClock.now
        try await store.start()
        for await event in events {
            if case .outboxStatus(let status) = event, status.isEmpty { break }
        }
        let drained = (ContinuousClock.now - start).inSeconds
        try await waitUntil(for: "the live link") { driver.status.isLive && driver.status.isComplete }
        let back = (ContinuousClock.now - start).inSeconds
        let parked = try await store.outboxStatus().parked
        await store.close()
        await floor.stop()
        let value = Double(count) / drained
        return Row(
            id: "drain", value: value, unit: "mutations/s", target: ">= 5000/s, back in < 5 s",
            met: value >= 5000 && back < 5 && parked == 0,
            note:
                "\(count) offline entries, connecting included; outbox empty after \(short(drained)) s, live and complete "
                + "after \(short(back)) s, \(parked) parked")
    }
}
