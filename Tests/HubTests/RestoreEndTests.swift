import Basics
import Glibc
import GraphQL
import Models
import SQLite
import System
import Testing

@testable import Hub

/// A restore that was cut off, and what comes next.
@Suite struct RestoreEndTests {
    private let directory: TempDirectory
    private var path: String { HubBackup.database(in: directory.path) }

    init() throws {
        directory = try TempDirectory("restore-end")
    }

    /// A database with notes, the last of which are in its log alone, and one beside it that is ready to take its place.
    private func cutOff() throws {
        let copy = directory.file("copy.sqlite")
        do {
            let hub = try HubFixture(connection: try Connection.open(path: path))
            hub.create(["id": "1", "title": "in both"])
            _ = try HubBackup.take(of: directory.path, to: copy, time: ManualTimeSource())
            hub.create(["id": "2", "title": "in the log"])
            // As it is while the hub is there, and as it stays when that is killed.
            for suffix in ["", "-wal"] {
                try Files.writeAtomically(try Files.read(path + suffix), to: directory.file("kept" + suffix))
            }
        }
        HubBackup.removeDatabase(path)
        for suffix in ["", "-wal"] { try Files.rename(directory.file("kept" + suffix), to: path + suffix) }
        try Files.rename(copy, to: path + ".restored")
    }

    private func titles(_ path: String) throws -> [String] {
        try Connection.open(path: path).rows("SELECT title FROM Note ORDER BY id").compactMap { $0[0].text }
    }

    @Test func `the old database's log follows it, and is never played into the restored one`() throws {
        try cutOff()
        let aside = directory.file("before-restore-20260101T000000Z")
        try Files.createDirectory(aside)
        try Files.rename(path, to: aside + "/hub.sqlite")
        #expect(HubRestore.isCutOff(in: directory.path))
        try HubRestore.finish(in: directory.path)
        #expect(!HubRestore.isCutOff(in: directory.path))
        #expect(try titles(path) == ["in both"])
        #expect(try titles(aside + "/hub.sqlite") == ["in both", "in the log"])
    }

    @Test func `before the old database is set aside it stays, with its log, and what was prepared is forgotten`()
        throws
    {
        try cutOff()
        #expect(!HubRestore.isCutOff(in: directory.path))
        try HubRestore.finish(in: directory.path)
        try HubRestore.forgetUnused(directory.path)
        #expect(!Files.exists(path + ".restored"))
        #expect(try titles(path) == ["in both", "in the log"])
    }

    @Test func `a command that would make a database ends the restore first, unless one is under way`() throws {
        try cutOff()
        try Files.createDirectory(directory.file("before-restore-20260101T000000Z"))
        try Files.rename(path, to: directory.file("before-restore-20260101T000000Z/hub.sqlite"))
        do {
            let lock = try FileLock(directory.file("hub.lock"))
            #expect(throws: HubError.self) {
                try AccessStore.open(dataDirectory: directory.path, time: ManualTimeSource())
            }
            withExtendedLifetime(lock) {}
        }
        #expect(!Files.exists(path))
        _ = try AccessStore.open(dataDirectory: directory.path, time: ManualTimeSource())
        #expect(try titles(path) == ["in both"])
    }

    @Test func `a restore after one that was cut off counts its versions on`() throws {
        try cutOff()
        let copy = directory.file("second.sqlite")
        try Files.writeAtomically(try Files.read(path + ".restored"), to: copy)
        let first = try HubRestore.restore(copy, into: directory.path, replacing: true, time: ManualTimeSource())
        // Cut off between setting aside and putting in place.
        HubBackup.removeLog(path)
        try Files.rename(path, to: path + ".restored")
        let second = try HubRestore.restore(copy, into: directory.path, replacing: true, time: ManualTimeSource())
        #expect(first.epoch != second.epoch)
        let floors = try Connection.open(path: path).rows("SELECT floor FROM _life ORDER BY number")
        #expect(
            floors.compactMap { $0[0].integer } == [1, 2 * HubLives.span], "nobody saw what the first would have given")
    }
}

/// What others on the machine can read.
@Suite struct HubDirectoryTests {
    @Test func `what others can read is named, and only that, with the command that ends it`() throws {
        let outer = try TempDirectory("exposure")
        let directory = outer.file("a hub's data")
        try HubDirectory.make(directory)
        try Files.createDirectory(directory + "/tls", mode: 0o700)
        #expect(HubDirectory.exposure(of: directory) == nil)
        try Files.writeAtomically("x", to: directory + "/hub.sqlite", mode: 0o644)
        try Files.writeAtomically("x", to: directory + "/tls/authority.key", mode: 0o644)
        try Files.writeAtomically("x", to: directory + "/tls/authority.pem", mode: 0o644)
        #expect(HubDirectory.exposure(of: directory) == nil, "the directory itself is closed")
        for (rights, found) in [(0o755, true), (0o710, true), (0o744, false)] as [(UInt32, Bool)] {
            try change(directory, rights)
            #expect((HubDirectory.exposure(of: directory) != nil) == found, "\(rights)")
        }
        try change(directory, 0o755)
        let said = try #require(HubDirectory.exposure(of: directory))
        #expect(said.hasPrefix("others on this machine can read \(directory)/hub.sqlite, "))
        let quoted = "'" + directory.replacing("'", with: "'\\''") + "'"
        #expect(said.hasSuffix("mend it: chmod -R go-rwx \(quoted)"))
        try change(directory + "/tls", 0o755)
        #expect(HubDirectory.exposure(of: directory)?.contains(" and 1 more file,") == true)
        try change(directory + "/hub.sqlite", 0o600)
        try change(directory + "/tls/authority.key", 0o600)
        // Copied back from somewhere: the server's file holds its key, and a code's what its terminal proves.
        for file in ["/tls/server.pem", "/tls/code.json"] {
            try Files.writeAtomically("x", to: directory + file, mode: 0o644)
            #expect(HubDirectory.exposure(of: directory)?.contains(file) == true)
            try change(directory + file, 0o600)
        }
        try Files.writeAtomically("x", to: directory + "/last-backup.json", mode: 0o644)
        #expect(HubDirectory.exposure(of: directory) == nil, "certificates are for everybody")
    }

    private func change(_ path: String, _ rights: UInt32) throws {
        try #require(Glibc.chmod(path, rights) == 0)
    }

    @Test func `the groups that rules name are those of models and fields, and admins`() throws {
        let schema = try Schema(
            sdl: """
                type A @model @auth(rules: [{ allow: groups, groups: ["x", "y"] }, { allow: owner }]) {
                  id: ID!
                  secret: String @auth(rules: [{ allow: groups, groups: ["z"] }])
                }
                """)
        #expect(RuleGroups.named(in: schema) == ["x", "y", "z", "admins"])
        #expect(RuleGroups.problem(["x", "z"], ["x", "z"]) == nil)
        #expect(
            RuleGroups.problem(["q", "x", "p"], ["x", "z"])
                == "no rule of the schema names the groups p, q; those that it names are x, z")
    }

    @Test func `a hub keeps the groups of what it serves, and of what is pushed, for commands beside it`() async throws
    {
        let hub = try SchemaPushFixture()
        #expect(try RuleGroups.served(in: hub.data) == nil)
        try await hub.start()
        #expect(try RuleGroups.served(in: hub.data) == ["everyone", "admins"])
        let other = SchemaPushFixture.larger.replacing(
            "type Shelf @model @auth(rules: [{ allow: groups, groups: [\"everyone\"] }])",
            with: "type Shelf @model @auth(rules: [{ allow: groups, groups: [\"keepers\"] }])")
        #expect(try await hub.push(other).status == 200)
        #expect(try RuleGroups.served(in: hub.data) == ["everyone", "admins", "keepers"])
        try await hub.stop()
        hub.loop.stop()
    }
}
