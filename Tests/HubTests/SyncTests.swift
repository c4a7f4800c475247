import Basics
import Models
import SQLite
import System
import Testing

@testable import Hub

@Suite struct SyncTests {
    @Test func aBaseSyncGivesEverythingInPagesWithOneStart() throws {
        let hub = try HubFixture()
        for index in 0..<25 { hub.create(["id": .string("n\(index)"), "title": "t"]) }
        let all = hub.syncAll(limit: 10)
        #expect(all.items.count == 25)
        #expect(Set(all.items.compactMap { $0["id"]?.string }).count == 25)
        let page = hub.sync(limit: 25)
        #expect(page.items.count == 25)
        #expect(page.token == nil)
    }

    @Test func aDeltaSyncGivesWhatChangedSinceAndTheBoundary() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        hub.create(["id": "2", "title": "b"])
        let start = hub.syncAll().startedAt
        hub.update(["id": "1", "title": "c", "_version": 1])
        hub.delete("2", version: 1)
        let delta = hub.syncAll(lastSync: start).items
        #expect(delta.map { $0["id"] } == ["1", "2"])
        #expect(delta[1]["_deleted"] == true)
        let next = hub.sync(lastSync: start).startedAt
        // Inclusive: the last commit comes again, and nothing older.
        #expect(hub.syncAll(lastSync: next).items.map { $0["id"] } == ["2"])
        #expect(hub.syncAll(lastSync: next + 1000).items.count == 2, "a future mark is another history's: all of it")
        #expect(hub.syncAll(lastSync: 0).items.count == 2)
    }

    @Test func manyChangesOfOneCommitFitIntoSmallPages() throws {
        let hub = try HubFixture()
        hub.create(["id": "first", "title": "t"])
        let start = hub.sync().startedAt
        let fields = (0..<40).map { "m\($0): createNote(input: {id: \"\($0)\", title: \"t\"}) { id }" }
        hub.send("mutation { \(fields.joined(separator: " ")) }")
        #expect(hub.syncAll(lastSync: start, limit: 7).items.count == 41)
    }

    @Test func stampsRiseWithEveryCommitWhateverTheClockDoes() throws {
        let hub = try HubFixture()
        var last: Int64 = 0
        for (index, jump) in [0, 5, -86_400_000, 0, 900_000_000_000, -900_000_000_000, 0].enumerated() {
            hub.time.jump(milliseconds: Int64(jump))
            hub.create(["id": .string("\(index)"), "title": "t"])
            let stamp = hub.sync().startedAt
            #expect(stamp > last)
            let delta = hub.syncAll(lastSync: last == 0 ? nil : last + 1).items
            #expect(delta.map { $0["id"] } == [.string("\(index)")])
            last = stamp
        }
    }

    @Test func aClockThatJumpsAYearAheadLosesNoTombstone() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        let start = hub.sync().startedAt
        hub.delete("1", version: 1)
        hub.time.jump(milliseconds: 400 * 86_400_000)
        try hub.core.prune()
        #expect(hub.syncAll(lastSync: start).items.first?["_deleted"] == true)
    }

    @Test func tombstonesGoAfterTheHorizonAndOldMarksGetEverything() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        hub.create(["id": "2", "title": "b"])
        let start = hub.sync().startedAt
        hub.delete("1", version: 1)
        hub.time.advance(milliseconds: HubCore.horizon + 1)
        try hub.core.prune()
        #expect(hub.syncAll().items.map { $0["id"] } == ["2"])
        // A delta from before the deletion could not tell of it, so it is a base sync.
        #expect(hub.syncAll(lastSync: start).items.map { $0["id"] } == ["2"])
        hub.create(["id": "3", "title": "c"])
        let mark = hub.sync().startedAt
        #expect(hub.syncAll(lastSync: mark).items.map { $0["id"] } == ["3"])
        #expect(hub.create(["id": "1", "title": "reborn"]).result?["_version"] == 3)
    }

    /// Who knows the old record, or its tombstone, would take a new one of lower versions for something older.
    @Test func aRecordMadeAgainUnderAForgottenKeyCountsOnFromItsLastVersion() throws {
        var hub = try HubFixture()
        func forget() throws {
            hub.time.advance(milliseconds: 3_600_001)
            try hub.core.prune()
        }
        hub.core.retention = 3_600_000
        hub.create(["id": "1", "title": "old"])
        hub.create(["id": "2", "title": "old"])
        hub.update(["id": "1", "size": 1, "_version": 1])
        hub.delete("1", version: 2)
        hub.delete("2", version: 1)
        try forget()
        let make = "mutation { m: createNote(input: {id: \"1\", title: \"new\"}) { title _version } }"
        let made: JSONValue = ["title": "new", "_version": 4]
        #expect(hub.send(make, device: "T", ids: ["m": "one"]).result == made)
        // It is a create all the same, when its author or somebody else asks for it again.
        #expect(hub.send(make, device: "T", ids: ["m": "one"]).result == made)
        #expect(hub.send(make).result == made)
        #expect(hub.core.statistics.replayed == 1)
        // What was made on the old record is not made on this one.
        #expect(hub.update(["id": "1", "title": "stale", "_version": 1]).result?["title"] == "new")
        #expect(hub.delete("1", version: 3).errorType == "ConflictUnhandled")
        #expect(hub.delete("1", version: 5).errorType == nil)
        #expect(hub.create(["id": "3", "title": "other"]).result?["_version"] == 1)
        try forget()
        hub = try HubFixture(connection: hub.connection, time: hub.time)
        #expect(hub.create(["id": "1", "title": "third"]).result?["_version"] == 7)
        #expect(hub.create(["id": "2", "title": "again"]).result?["_version"] == 3)
        #expect(try HubVerify.check(hub.connection, HubFixture.notes).filter(\.isFault) == [])
    }

    /// A client that pages through a delta while deletions of it are forgotten would keep what is deleted for ever.
    @Test(arguments: [0, 1, 2])
    func aDeltaThatLosesADeletionBetweenTwoPagesIsRefusedAndBegunAgainSaysThatItHasAGap(_ page: Int) throws {
        let hub = try HubFixture()
        hub.core.retention = 3_600_000
        for index in 0..<4 { hub.create(["id": .string("n\(index)"), "title": "t"]) }
        let mark = hub.sync().startedAt
        for index in 1..<4 { hub.update(["id": .string("n\(index)"), "size": 1, "_version": 1]) }
        hub.delete("n0", version: 1)
        var token: String?
        var read = 0
        for _ in 0...page {
            let part = hub.sync(lastSync: mark, limit: 1, token: token)
            read += part.items.count
            token = part.token
        }
        #expect(token != nil && read == page + 1, "the deletion is yet to come")
        hub.time.advance(milliseconds: 3_600_001)
        try hub.core.prune()
        let rest = hub.sync(lastSync: mark, limit: 1, token: token)
        #expect(rest.json.errorMessage == "Invalid pagination token given.")
        let again = hub.sync(lastSync: mark)
        #expect(again.json["extensions"]?["bincount"]?["gap"] != nil)
        #expect(again.items.map { $0["id"] } == ["n1", "n2", "n3"])
    }

    @Test func `a delta goes on while what is forgotten lies before its beginning, and everything goes on whatever is`()
        throws
    {
        let hub = try HubFixture()
        hub.core.retention = 3_600_000
        for index in 0..<6 { hub.create(["id": .string("n\(index)"), "title": "t"]) }
        hub.delete("n0", version: 1)
        hub.time.advance(milliseconds: 1_800_000)
        hub.create(["id": "n6", "title": "t"])
        let mark = hub.sync().startedAt
        for index in 1..<4 { hub.update(["id": .string("n\(index)"), "size": 1, "_version": 1]) }
        hub.delete("n4", version: 1)
        let delta = try #require(hub.sync(lastSync: mark, limit: 2).token)
        let base = try #require(hub.sync(limit: 2).token)
        hub.time.advance(milliseconds: 1_800_001)
        try hub.core.prune()
        let rest = hub.sync(lastSync: mark, limit: 10, token: delta)
        #expect(rest.items.map { $0["id"] } == ["n2", "n3", "n4"] && rest.items.last?["_deleted"] == true)
        hub.time.advance(milliseconds: 3_600_000)
        try hub.core.prune()
        #expect(hub.sync(limit: 10, token: base).items.compactMap { $0["id"]?.string } == ["n2", "n3", "n5", "n6"])
    }

    /// The mark exactly at the last forgotten deletion, before it and after it.
    @Test func aMarkAtTheLastStampThatIsForgottenIsAGapAndTheNextOneIsNone() throws {
        let hub = try HubFixture()
        hub.core.retention = 3_600_000
        hub.create(["id": "1", "title": "a"])
        hub.create(["id": "2", "title": "b"])
        hub.delete("1", version: 1)
        let last = hub.core.state.stamp
        hub.time.advance(milliseconds: 1_800_000)
        hub.create(["id": "3", "title": "c"])
        func isGap(_ mark: Int64) -> Bool { hub.sync(lastSync: mark).json["extensions"]?["bincount"]?["gap"] != nil }
        #expect(!isGap(last) && hub.sync(lastSync: last).items.contains { $0["_deleted"] == true })
        hub.time.advance(milliseconds: 1_800_001)
        try hub.core.prune()
        #expect(hub.core.state.prunedThrough == last)
        #expect(isGap(last - 1) && isGap(last) && !isGap(last + 1))
        #expect(hub.syncAll(lastSync: last + 1).items.map { $0["id"] } == ["3"])
    }

    @Test func hubTimeAndStampsSurviveARestart() throws {
        let directory = try TempDirectory()
        let path = directory.path + "/hub.sqlite"
        var epoch = ""
        var start: Int64 = 0
        do {
            let hub = try HubFixture(connection: Connection.open(path: path))
            hub.time.jump(milliseconds: 1_000_000_000)
            hub.create(["id": "1", "title": "a"])
            epoch = hub.core.epoch
            start = hub.sync().startedAt
        }
        let hub = try HubFixture(connection: Connection.open(path: path))
        #expect(hub.core.epoch == epoch)
        hub.create(["id": "2", "title": "b"])
        #expect(hub.sync().startedAt > start)
        #expect(hub.syncAll(lastSync: start).items.map { $0["id"] } == ["1", "2"])
    }

    @Test(arguments: ["", "x", "AAAA", "////", "é"])
    func aForgedTokenIsRefusedCleanly(_ token: String) throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        #expect(hub.sync(token: token).json.errorMessage == "Invalid pagination token given.")
    }

    @Test func aTokenOfAnotherQueryOrACutOneIsRefused() throws {
        let hub = try HubFixture()
        for index in 0..<5 { hub.create(["id": .string("\(index)"), "title": "a"]) }
        let token = try #require(hub.sync(limit: 2).token)
        #expect(hub.sync(limit: 3, token: token).items.count == 3, "another limit is no other query")
        #expect(hub.sync(lastSync: 5, token: token).json.errorMessage != nil)
        #expect(hub.sync(token: token, filter: ["title": ["eq": "a"]]).json.errorMessage != nil)
        #expect(hub.sync(token: String(token.dropLast())).json.errorMessage != nil)
        let list = hub.send("{ listNotes(nextToken: \"\(token)\") { items { id } } }")
        #expect(list.errorType == "BadRequest")
        for position in token.indices {
            var forged = Array(token)
            let index = token.distance(from: token.startIndex, to: position)
            forged[index] = forged[index] == "A" ? "B" : "A"
            #expect(hub.sync(token: String(forged)).json.errorMessage != nil)
        }
    }

    @Test func limitsHaveTheirBounds() throws {
        let hub = try HubFixture()
        let fields = (0..<100).map { "m\($0): createNote(input: {title: \"t\"}) { id }" }
        for _ in 0..<11 { hub.send("mutation { \(fields.joined(separator: " ")) }") }
        #expect(hub.sync().items.count == 100)
        #expect(hub.sync(limit: 5000).items.count == 1000)
        #expect(hub.sync(limit: 0).json.errorMessage?.contains("limit") == true)
        hub.send("mutation { createBox(input: {id: \"b\", label: \"l\"}) { id } }")
        let related = hub.send("{ getBox(id: \"b\") { id notes(limit: 0) { items { id } } } }")
        #expect(related.errorMessage == "limit must be greater than 0, not 0")
        #expect(related.result == ["id": "b", "notes": .null])
    }

    /// Writers and a syncing reader, interleaved by a seed: whatever the order, the reader ends with what the hub has.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func noChangeFallsBetweenTwoSyncs(_ seed: UInt64) throws {
        let hub = try HubFixture()
        var random = SplitMix64(seed: seed)
        var mirror: [String: Int64] = [:]
        var versions: [String: Int64] = [:]
        func write() {
            for _ in 0..<Int(random.next() % 4) {
                if random.next() % 5 == 0 {
                    hub.time.jump(milliseconds: Int64(random.next() % 200_000) - 100_000)
                }
                let id = "n\(random.next() % 12)"
                if let version = versions[id] {
                    if random.next() % 6 == 0, hub.delete(id, version: version).errorType == nil {
                        versions[id] = version + 1
                    } else if hub.update(["id": .string(id), "size": 1, "_version": .integer(version)]).errorType == nil
                    {
                        versions[id] = version + 1
                    }
                } else {
                    hub.create(["id": .string(id), "title": "t"])
                    versions[id] = 1
                }
            }
        }
        func apply(_ items: [JSONValue]) {
            for item in items {
                guard let id = item["id"]?.string, let version = item["_version"]?.integer else { continue }
                mirror[id] = max(mirror[id] ?? 0, version)
            }
        }
        var mark: Int64?
        for _ in 0..<12 {
            write()
            let round = hub.syncAll(lastSync: mark, limit: 1 + Int(random.next() % 3), between: write)
            apply(round.items)
            mark = round.startedAt
        }
        apply(hub.syncAll(lastSync: mark).items)
        #expect(mirror == versions)
    }
}
