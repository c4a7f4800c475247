import Basics
import Models
import System
import Testing

@testable import DataStore

/// A clock that does something at the moment somebody reads it.
private final class WatchedTime: TimeSource {
    let base = ManualTimeSource()
    let onNow = Locked<(@Sendable () -> Void)?>(nil)
    var bootID: String { base.bootID }
    func uptime() -> Int64 { base.uptime() }
    func now() -> DateTime {
        let body = onNow.withLock { body in
            defer { body = nil }
            return body
        }
        body?()
        return base.now()
    }
}

/// Two cores on one file are two processes: neither has looked yet what the other did.
@Suite("What another process did, before it is noticed")
struct ForeignProcessTests {
    private let directory: TempDirectory
    private let leader: StoreCore
    private let other: StoreCore
    private let time = WatchedTime()

    init() throws {
        directory = try TempDirectory()
        leader = try Self.open(directory, 1, time)
        other = try Self.open(directory, 2, ManualTimeSource())
    }

    private static func open(_ directory: TempDirectory, _ seed: UInt64, _ time: any TimeSource) throws -> StoreCore {
        try StoreCore(
            schema: testSchema, at: .directory(directory.path),
            options: testOptions {
                $0.random = SeededRandom(seed: seed)
                $0.time = time
            })
    }

    @Test("C8 C27: clear refuses for what another process has not sent yet")
    func clearing() throws {
        try other.save(Zone(id: "theirs"))
        #expect(leader.outboxStatus.isEmpty, "not noticed yet")
        #expect(throws: StoreError.unsentChanges(1)) { try leader.clear(discardingUnsent: false) }
        #expect(try leader.read { try $0.count(Zone.self) } == 1)
    }

    @Test("C8 C27: what is exported before it is discarded is all that is discarded")
    func exporting() throws {
        try other.save(Zone(id: "theirs"))
        let path = directory.path + "/export"
        try leader.clear(discardingUnsent: true, exportingTo: path)
        #expect(try Files.readText(path).split(separator: "\n").count == 1)
        #expect(try other.outbox().isEmpty)
        let broken = directory.path + "/no such directory/export"
        try other.save(Zone(id: "again"))
        #expect(throws: StoreError.self) { try leader.clear(discardingUnsent: true, exportingTo: broken) }
        #expect(try leader.read { try $0.count(Zone.self) } == 1, "what could not be written stays")
    }

    @Test("C27: a change that joins a waiting one at the last moment is sent with it")
    func joining() throws {
        try leader.save(Bin(id: "b", place: 1))
        let other = UncheckedCore(core: other)
        time.onNow.withLock { $0 = { try? other.core.save(Bin(id: "b", place: 2)) } }
        let entries = try #require(try leader.nextMutations(limit: 10)?.entries)
        #expect(try other.core.bin("b")?.place == 2)
        let waiting = try leader.outbox()
        let places = (entries + waiting.filter { $0.state != .sending }).compactMap { $0.fields["place"] }
        #expect(places.last == 2, "it goes now or waits, and is not marked as sent unsent")
        #expect(waiting.first { $0.state == .sending }?.fields == entries.first?.fields)
    }

    @Test("C14 C27: what another process made to go as one goes as one")
    func units() throws {
        try leader.save(Zone(id: "mine"))
        try other.write(as: nil) { tx in
            try tx.sentAsOne {
                for number in 0..<3 { try tx.save(Zone(id: "z\(number)")) }
            }
        }
        let batch = try #require(try leader.nextMutations(limit: 2))
        #expect(batch.entries.map(\.id) == ["mine"])
        try leader.resetSending()
        try leader.sendAll()
        #expect(leader.outboxStatus.isEmpty)
    }

    @Test("D51 C27: what another process was sending when it died is sent again, noticed or not")
    func sending() throws {
        try other.save(Zone(id: "theirs"))
        _ = try leader.noticeForeignChanges()
        _ = try other.nextMutations(limit: 1)
        #expect(leader.outboxStatus == OutboxStatus(queued: 1), "not noticed yet")
        try leader.resetSending()
        #expect(leader.outboxStatus == OutboxStatus(queued: 1))
        #expect(try leader.outbox().map(\.state) == [.sealed])
    }

    @Test("C27: a deleted id is refused whoever heard of the deletion")
    func deletions() throws {
        try leader.applyRemote([remote(Zone(id: "z"), 3, deleted: true)])
        #expect(throws: StoreError.deleted(model: "Zone", id: "z")) { try other.save(Zone(id: "z")) }
    }

    @Test("C11 C27: a page that was asked for before another process cleared the store is not taken for the rest of it")
    func pages() throws {
        let before = try leader.clearings()
        try other.clear(discardingUnsent: false)
        let mark = SyncMark(model: "Zone", lastSync: 7)
        let report = try leader.applyPage(
            model: "Zone", items: [remote(Zone(id: "z"), 1)], mark: mark, clearings: before)
        #expect(report.isVoid)
        #expect(try leader.mark(of: "Zone") == SyncMark(model: "Zone"))
        #expect(try leader.read { try $0.count(Zone.self) } == 0)
        let now = try leader.clearings()
        #expect(now == before + 1)
        let again = try leader.applyPage(model: "Zone", items: [remote(Zone(id: "z"), 1)], mark: mark, clearings: now)
        #expect(!again.isVoid)
        #expect(try leader.mark(of: "Zone") == mark)
    }

    @Test("numbers of outbox entries are each process's to give, and none is given twice")
    func numbers() throws {
        var seen: Set<Int64> = []
        for number in 0..<4 {
            let core = number % 2 == 0 ? leader : other
            try core.save(Zone(id: "z\(number)"))
            seen.formUnion(try core.outbox().map(\.order))
            try core.sendAll()
        }
        #expect(seen.count == 4)
    }

    /// A program of a later version, which gives values another form.
    private func migrate() throws {
        let bin = ModelSchema(
            "Bin", pluralName: "Bins",
            fields: Bin.schema.fields.map {
                $0.name == "place" ? FieldSchema("place", .scalar(.string), isRequired: true) : $0
            }, relations: Bin.schema.relations)
        try StoreCore(
            schema: Schema(
                models: testSchema.models.map { $0.name == "Bin" ? bin : $0 }, enums: testSchema.enums),
            at: .directory(directory.path),
            options: testOptions {
                $0.migrations = [SchemaVersion(1, [.convert("Bin", "place") { .string("P\($0.text)") }])]
            }
        ).close()
    }

    @Test("D98: an older program that runs writes and reads nothing once a newer one has migrated the store")
    func migrated() throws {
        try leader.save(Bin(id: "b", place: 1))
        try other.save(Zone(id: "z"))
        #expect(try leader.bin("b")?.place == 1)
        try migrate()
        for core in [leader, other] {
            for _ in 0..<2 {
                let written = #expect(throws: StoreError.self) { try core.save(Bin(id: "c", place: 2)) }
                #expect(written?.description.contains("changed by a newer program") == true)
                #expect(throws: StoreError.self) { try core.bin("b") }
                #expect(throws: StoreError.self) { try core.nextMutations(limit: 1) }
            }
        }
        let error = #expect(throws: StoreError.self) { try Self.open(directory, 3, ManualTimeSource()) }
        #expect(error?.description.contains("install the newer program") == true)
    }

    @Test("D98: nor by connections for reading, first used before or after")
    func migratedReaders() async throws {
        let stores = [
            try await DataStore(schema: testSchema, at: .directory(directory.path), options: testOptions()),
            try await DataStore(schema: testSchema, at: .directory(directory.path), options: testOptions()),
        ]
        try await stores[0].save(Bin(id: "b", place: 1))
        for _ in 0..<2 { #expect(try await stores[0].count(Bin.self) == 1) }
        try migrate()
        for store in stores {
            for _ in 0..<4 {
                let error = await #expect(throws: StoreError.self) { try await store.count(Bin.self) }
                #expect(error?.description.contains("changed by a newer program") == true)
            }
            await store.close()
        }
    }
}

// Guard of @unchecked Sendable: the test's own thread uses it, at one place in time.
private struct UncheckedCore: @unchecked Sendable {
    let core: StoreCore
}
