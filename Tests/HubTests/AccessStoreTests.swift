import Basics
import Crypto
import Models
import SQLite
import System
import Testing

@testable import Hub

/// The hub's tables of keys and people, without a hub.
@Suite struct AccessStoreTests {
    static let cheap = Scrypt.Parameters(cost: 16, blockSize: 1, parallelization: 1)

    let time = ManualTimeSource()
    let connection: Connection
    let store: AccessStore

    init() throws {
        connection = try Connection.memory()
        store = try AccessStore(connection, time)
    }

    @Test func aKeyIsToldOnceAndKeptAsADigestOnly() throws {
        let (key, stored) = try store.addKey(groups: ["desk", "admins"], name: "ERP")
        #expect(key.hasPrefix("bk-\(stored.id)-"))
        #expect(key.count == 3 + 8 + 1 + 32)
        #expect(try store.keys() == [stored])
        for row in try connection.rows("SELECT * FROM _api_keys") {
            #expect(!row.contains { $0.text?.contains(key.suffix(32)) ?? false })
        }
        #expect(try store.snapshot().key(digest: SHA256.hexDigest(key)) == stored)
        #expect(try store.snapshot().key(digest: SHA256.hexDigest(key + "x")) == nil)
    }

    @Test func keysAreRevokedByIdNameDeviceOrThemselvesAndOnlyOnce() throws {
        let (key, _) = try store.addKey(groups: ["desk"], name: "")
        let (_, byID) = try store.addKey(groups: ["desk"], name: "")
        try store.addKey(groups: ["desk"], name: "old ERP")
        _ = try store.addKey(forDevice: "T1")
        for word in [key, byID.id, "old ERP", "T1"] {
            #expect(try store.revokeKey(word).count == 1, "\(word)")
            #expect(throws: HubError.self) { try store.revokeKey(word) }
        }
        #expect(throws: HubError.self) { try store.revokeKey("never") }
        #expect(try store.keys().allSatisfy { $0.revoked != nil })
    }

    @Test func aTerminalThatEnrolsAnewLosesItsOldKey() throws {
        let first = try store.addKey(forDevice: "T1")
        let second = try store.addKey(forDevice: "T1", groups: ["counters"], name: "dock")
        let keys = try store.snapshot().keys
        #expect(keys[first.stored.id]?.revoked != nil)
        #expect(keys[second.stored.id]?.isValid(now: time.now().milliseconds) == true)
        #expect(try store.snapshot().enrolledDevices == ["T1"])
        try store.revokeKey("T1")
        #expect(try store.snapshot().enrolledDevices == [])
    }

    @Test func ofSignInsOnlyTheMostTellingAreReadAndTheOldestGo() throws {
        let now = time.now().milliseconds
        let known = SignInGate.Key("known", "p")
        let failed = SignInGate.Key("failed", "p")
        try store.note([
            SignInGate.Key("once", "p"): SignInRecord(count: 1, last: now), failed: SignInRecord(count: 5, last: now),
            known: SignInRecord(count: 0, last: now, known: now),
        ])
        #expect(Set(try store.signInRecords(atMost: 2).keys) == [known, failed])
        #expect(try store.signInRecords().count == 3)
        time.advance(milliseconds: SignInRecord.memory)
        try store.pruneSignIns()
        #expect(try connection.rows("SELECT badge FROM _sign_in_places") == [[.text("known")]])
    }

    @Test func everyChangeCountsUpTheGeneration() throws {
        var last = try store.generation()
        func grew() throws -> Bool {
            defer { last = (try? store.generation()) ?? -1 }
            return try store.generation() > last
        }
        let (_, key) = try store.addKey(groups: ["desk"], name: "")
        #expect(try grew())
        try store.setPIN(badge: "ann", pin: "4711", parameters: Self.cheap)
        #expect(try grew())
        try store.setGroups(badge: "ann", ["supervisors"])
        #expect(try grew())
        try store.unlock(badge: "ann")
        #expect(try grew())
        try store.revokeKey(key.id)
        #expect(try grew())
        try store.removePerson(badge: "ann")
        #expect(try grew())
        try store.noteUse([key.id: 1])
        #expect(try !grew())
        #expect(throws: HubError.self) { try store.removePerson(badge: "ann") }
        #expect(try !grew())
    }

    @Test func aPINIsKeptAsScryptOnlyAndANewOneEndsOldTokens() throws {
        let made = try store.setPIN(
            badge: "ann", person: "p1", groups: ["counters"], pin: "4711", parameters: Self.cheap)
        let row = try #require(try connection.rows("SELECT * FROM _people").first)
        #expect(!row.contains(.text("4711")))
        let found = try #require(try store.snapshot().person(badge: "ann"))
        #expect(found.id == "p1")
        #expect(found.verifier.accepts("4711"))
        #expect(!found.verifier.accepts("4712"))
        #expect(found.verifier.parameters == Self.cheap)
        let again = try store.setPIN(badge: "ann", pin: "2580", parameters: Self.cheap)
        #expect(again.generation > made.generation)
        #expect(again.id == "p1")
        #expect(again.groups == ["counters"])
        #expect(try store.people().count == 1)
        // Removed and taken in again: still no old token is good.
        try store.removePerson(badge: "ann")
        time.advance(milliseconds: 1)
        let back = try store.setPIN(badge: "ann", person: "p1", pin: "4711", parameters: Self.cheap)
        #expect(back.generation != made.generation)
    }

    @Test(arguments: ["1234", "4321", "0000", "123", "", "aaaa", "badge"])
    func aPINThatEverybodyGuessesIsRefused(_ pin: String) {
        #expect(throws: HubError.self) { try store.setPIN(badge: "badge", pin: pin, parameters: Self.cheap) }
    }

    @Test(arguments: ["", " a", "a,b", "a:b", "a\nb", String(repeating: "x", count: 201)])
    func namesThatHeadersAndListsCannotHoldAreRefused(_ name: String) {
        #expect(throws: HubError.self) { try store.addKey(groups: [name], name: "") }
        #expect(throws: HubError.self) { try store.addKey(groups: ["a"], name: "", device: name) }
        #expect(throws: HubError.self) { try store.setPIN(badge: name, pin: "4711", parameters: Self.cheap) }
    }

    @Test func twoBadgesAreNotOnePerson() throws {
        try store.setPIN(badge: "a", person: "p", pin: "4711", parameters: Self.cheap)
        #expect(throws: HubError.self) {
            try store.setPIN(badge: "b", person: "p", pin: "4711", parameters: Self.cheap)
        }
        #expect(try store.people().map(\.badge) == ["a"])
    }

    @Test func aDirectoryWithoutAHubGetsOneThatAHubThenServes() async throws {
        let directory = try TempDirectory("access")
        let made = try AccessStore.open(dataDirectory: directory.file("hub"), time: time).addKey(
            groups: ["everyone"], name: "first")
        let options = HubOptions(
            dataDirectory: directory.file("hub"), schema: HubFixture.notes, keys: APIKeys(), time: SystemTimeSource())
        let server = try await HubServer.start(options)
        let caller = server.identity.authenticator.caller(
            Credentials(apiKey: made.key), now: SystemTimeSource().now().milliseconds)
        #expect(try caller.get().groups == ["everyone"])
        await server.stop()
    }
}
