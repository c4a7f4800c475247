import Basics
import Models
import SQLite
import System
import Testing

@testable import DataStore

/// Counts how often it is asked for a connection.
final class CountingStorage: StorageAdapter {
    let directory: String
    let opened = Locked(0)

    init(_ directory: String) { self.directory = directory }

    func openWriter() throws -> Connection {
        opened.withLock { $0 += 1 }
        return try FileStorage(directory: directory).openWriter()
    }
    func openReader() throws -> Connection? {
        opened.withLock { $0 += 1 }
        return try FileStorage(directory: directory).openReader()
    }
    var sharedDirectory: String? { directory }
}

@Suite("Where a store lives")
struct StorageTests {
    @Test("a store works in whatever its adapter gives; readers are opened when they are first used")
    func adapter() async throws {
        let directory = try TempDirectory()
        let storage = CountingStorage(directory.path)
        let store = try await DataStore(schema: testSchema, in: storage, options: testOptions())
        #expect(storage.opened.current == 1)
        try await store.save(Zone(id: "z"))
        #expect(try await store.count(Zone.self) == 1)
        #expect(storage.opened.current == 2)
        await store.close()
    }

    @Test("D40: a store in memory and one in a file behave alike", arguments: [true, false])
    func alike(_ inMemory: Bool) async throws {
        let directory = try TempDirectory()
        let storage: any StorageAdapter = inMemory ? MemoryStorage() : FileStorage(directory: directory.path)
        let store = try await DataStore(schema: testSchema, in: storage, options: testOptions())
        var snapshots = store.observeQuery(Zone.self).makeAsyncIterator()
        #expect(try await snapshots.next()?.items.isEmpty == true)
        try await store.save(Zone(id: "z"))
        #expect(try await snapshots.next()?.items.map(\.id) == ["z"])
        #expect(try await store.query(Zone.self).count == 1)
        #expect(try await store.outboxStatus().queued == 1)
        await store.close()
        await #expect(throws: StoreError.closed) { try await store.query(Zone.self) }
    }

    @Test(
        "D102 C24: a key is refused where SQLite cannot encrypt, and no plain file is made",
        .enabled(if: !Connection.canEncrypt))
    func noEncryption() async throws {
        let directory = try TempDirectory()
        let storage = FileStorage(directory: directory.path + "/store", key: .passphrase("secret"))
        let error = await #expect(throws: StoreError.self) {
            try await DataStore(schema: testSchema, in: storage, options: testOptions())
        }
        #expect(error?.description.contains("this system's SQLite does not encrypt; install SQLCipher") == true)
        #expect(error?.description.contains("secret") == false)
        #expect(!Files.exists(directory.path + "/store"))
    }

    @Test("C24: an encrypted store is refused without its key, named as such and left as it is")
    func encryptedFile() throws {
        let directory = try TempDirectory()
        // An encrypted file begins with random bytes instead of SQLite's name.
        let random = SeededRandom(seed: 5)
        let bytes = (0..<8192).map { _ in UInt8(random.below(256)) }
        let path = StoreOpening.path(directory.path)
        try Files.writeAtomically(bytes, to: path)
        let error = #expect(throws: StoreError.self) {
            try StoreCore(schema: testSchema, at: .directory(directory.path), options: testOptions())
        }
        #expect(error?.description.contains("it is not a database, or it is encrypted") == true)
        #expect(try Files.read(path) == bytes)
    }

    @Test(
        "D102 C24: with SQLCipher a store is encrypted, opens with its key only, and takes another",
        .enabled(if: Connection.canEncrypt))
    func encryption() async throws {
        let directory = try TempDirectory()
        func store(_ key: DatabaseKey?) async throws -> DataStore {
            let storage = FileStorage(directory: directory.path, key: key)
            return try await DataStore(schema: testSchema, in: storage, options: testOptions())
        }
        let first = try await store(.passphrase("it's"))
        try await first.save(Zone(id: "z", code: "visible"))
        #expect(try await first.count(Zone.self) == 1)
        await first.close()
        let bytes = try Files.read(StoreOpening.path(directory.path))
        #expect(!bytes.starts(with: Array("SQLite format 3".utf8)))
        await #expect(throws: StoreError.self) { try await store(nil) }
        await #expect(throws: StoreError.self) { try await store(.passphrase("wrong")) }
        let raw = DatabaseKey.bytes((0..<32).map { UInt8($0) })
        try FileStorage.changeKey(directory: directory.path, from: .passphrase("it's"), to: raw)
        await #expect(throws: StoreError.self) { try await store(.passphrase("it's")) }
        let again = try await store(raw)
        #expect(try await again.get(Zone.self, id: "z")?.code == "visible")
        await again.close()
    }

    @Test(
        "C1 C24: with SQLCipher a store follows its schema, and its backup is encrypted with the same key",
        .enabled(if: Connection.canEncrypt),
        arguments: [DatabaseKey.passphrase("it's"), .bytes((0..<32).map { UInt8($0) })])
    func encryptedMigration(_ key: DatabaseKey) async throws {
        let directory = try TempDirectory()
        let storage = FileStorage(directory: directory.path, key: key)
        let first = try await DataStore(schema: testSchema, in: storage, options: testOptions())
        try await first.save(Zone(id: "z", code: "visible"))
        await first.close()
        let zone = ModelSchema(
            "Zone", pluralName: "Zones", fields: Zone.schema.fields + [FieldSchema("floor", .scalar(.int))],
            relations: Zone.schema.relations)
        let later = Schema(models: [zone] + testSchema.models.dropFirst(), enums: testSchema.enums)
        let second = try await DataStore(schema: later, in: storage, options: testOptions())
        #expect(try await second.read { try $0.get(model: "Zone", id: "z") }?["code"] == .text("visible"))
        await second.close()
        #expect(try StoreVerify.run(directory.path, schema: later, key: key).allSatisfy { $0.problems.isEmpty })
        #expect(throws: StoreError.self) { try StoreVerify.run(directory.path, schema: later) }
        let backup = StoreOpening.path(directory.path) + ".backup-1"
        #expect(try !Files.read(backup).starts(with: Array("SQLite format 3".utf8)))
        try Files.createDirectory(directory.path + "/before")
        try Files.writeAtomically(try Files.read(backup), to: StoreOpening.path(directory.path + "/before"))
        let before = FileStorage(directory: directory.path + "/before", key: key)
        let restored = try await DataStore(schema: testSchema, in: before, options: testOptions())
        #expect(try await restored.get(Zone.self, id: "z")?.code == "visible")
        await restored.close()
    }

    @Test("a key never shows itself")
    func hidden() {
        let key = DatabaseKey.passphrase("secret")
        #expect("\(key)" == "DatabaseKey(…)" && String(reflecting: key) == "DatabaseKey(…)")
    }
}
