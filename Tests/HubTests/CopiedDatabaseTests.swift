import Basics
import Models
import SQLite
import System
import Testing

@testable import Hub

/// A backup that somebody puts in the database's place by hand.
@Suite struct CopiedDatabaseTests {
    private let directory: TempDirectory
    private let time = ManualTimeSource()
    private var data: String { directory.file("hub") }
    private var copy: String { directory.file("copy.sqlite") }
    private var path: String { HubBackup.database(in: data) }

    init() throws {
        directory = try TempDirectory("copied")
        try Files.createDirectory(data)
    }

    private func hub() throws -> HubFixture { try HubFixture(connection: try Connection.open(path: path), time: time) }

    /// A hub with one note, its backup, and a change and a note since; gives its life, and its last mark.
    private func backedUp() throws -> (epoch: String, mark: Int64) {
        let hub = try hub()
        hub.create(["id": "1", "title": "t"])
        _ = try HubBackup.take(of: data, to: copy, time: time)
        time.advance(milliseconds: 60_000)
        hub.update(["id": "1", "body": "lost", "_version": 1])
        hub.create(["id": "lost", "title": "t"])
        return (hub.core.epoch, hub.sync().startedAt)
    }

    private func isMarked(_ path: String) throws -> Bool {
        try CopyMark.isSet(try Connection.open(path: path, options: .readOnly))
    }

    @Test func `it begins another life once, above all that clients saw, and the log says so`() throws {
        let before = try backedUp()
        #expect(try !isMarked(path))
        #expect(try isMarked(copy))
        HubBackup.removeDatabase(path)
        try Files.writeAtomically(try Files.read(copy), to: path, mode: 0o600)
        #expect(try HubVerify.run(data, schema: HubFixture.notes).filter(\.isFault) == [])
        #expect(
            try HubCheck.migration(of: data, to: HubFixture.notes) == [
                "a copy was put in the database's place by hand: it will begin another life, as a restored one"
            ])
        let lines = Locked<[String]>([])
        var epoch = ""
        do {
            let core = try HubCore(
                schema: HubFixture.notes, connection: try Connection.open(path: path),
                keys: try APIKeys(HubFixture.keys), time: time, random: SeededRandom(seed: 1),
                log: Log(level: .warning) { _, line in lines.withLock { $0.append(line) } })
            epoch = core.epoch
        }
        #expect(epoch != before.epoch)
        #expect(lines.current.count == 1 && lines.current.first?.contains(epoch) == true, "\(lines.current)")
        let hub = try hub()
        #expect(hub.core.epoch == epoch, "once")
        #expect(try HubCheck.migration(of: data, to: HubFixture.notes) == [])
        // A mark of before is answered with everything, and what is made now has versions that no life before gave.
        let all = hub.sync(lastSync: before.mark)
        #expect(all.items.compactMap { $0["id"]?.string } == ["1"])
        #expect(all.startedAt > before.mark)
        let lives = hub.send("query { listNotes { items { id } } }")["extensions"]?["bincount"]?["lives"]
        #expect(lives?["has"]?[before.epoch]?.integer ?? .max < before.mark)
        let made = try #require(hub.create(["id": "lost", "title": "other"]).result?["_version"]?.integer)
        #expect(made >= HubLives.span)
        // And the next backup of it is marked as every other.
        _ = try HubBackup.take(of: data, to: copy, time: time)
        #expect(try isMarked(copy))
        #expect(try HubVerify.check(hub.connection, HubFixture.notes).filter(\.isFault) == [])
    }

    @Test func `a restored one begins the restore's life and no other`() throws {
        _ = try backedUp()
        let outcome = try HubRestore.restore(copy, into: data, replacing: true, time: time)
        #expect(try !isMarked(path))
        #expect(try hub().core.epoch == outcome.epoch)
    }

    @Test func `one that is replaced by a restore tells neither what was given since nor who may come in`() throws {
        _ = try backedUp()
        _ = try HubRestore.restore(copy, into: data, replacing: true, time: time)
        let given: Int64
        do {
            let hub = try hub()
            given = try #require(hub.create(["id": "late", "title": "t"]).result?["_version"]?.integer)
        }
        HubBackup.removeDatabase(path)
        try Files.writeAtomically(try Files.read(copy), to: path, mode: 0o600)
        let outcome = try HubRestore.restore(copy, into: data, replacing: true, time: time)
        #expect(!outcome.keepsAccess)
        let hub = try hub()
        let made = try #require(hub.create(["id": "late", "title": "other"]).result?["_version"]?.integer)
        #expect(made >= given + HubLives.span, "the life between gave \(given)")
    }

    @Test func `what a migration keeps is marked though the migration fails afterwards`() throws {
        _ = try backedUp()
        // The new model's table is in the way of itself, which comes out after the backup.
        try Connection.open(path: path).execute("CREATE TABLE More(x)")
        #expect(throws: (any Error).self) {
            try HubFixture(more, connection: try Connection.open(path: path), time: time)
        }
        let kept = try #require(try Files.list(data).first { $0.hasPrefix("hub.sqlite.backup-") })
        #expect(try isMarked(data + "/" + kept))
        #expect(try !isMarked(path))
    }

    private var more: Schema {
        get throws {
            try Schema(
                models: HubFixture.notes.models
                    + Schema(
                        sdl: "type More @model @auth(rules: [{ allow: groups, groups: [\"everyone\"] }]) { id: ID! }"
                    ).models, enums: HubFixture.notes.enums, embedded: HubFixture.notes.embedded)
        }
    }

    @Test func `what a migration keeps of the database before it is a copy too`() throws {
        let before = try backedUp()
        let epoch = try HubFixture(more, connection: try Connection.open(path: path), time: time).core.epoch
        #expect(epoch == before.epoch)
        let kept = try #require(try Files.list(data).first { $0.hasPrefix("hub.sqlite.backup-") })
        #expect(try isMarked(data + "/" + kept))
        #expect(!Files.exists(data + "/" + kept + "-wal"))
        #expect(try !isMarked(path))
    }
}
