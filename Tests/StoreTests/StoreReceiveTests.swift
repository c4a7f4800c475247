import Basics
import Models
import Testing

@testable import DataStore

@Suite struct StoreReceiveTests {
    private let bin = Bin(id: "b", place: 1, note: "n")

    @Test("D9: a page and its mark are one transaction")
    func aPageAndItsMarkAreOneTransaction() throws {
        let core = try memoryCore()
        let mark = SyncMark(model: "Bin", nextToken: "2", startedAt: 77, scope: "all")
        let statements = try core.connection.recordingStatements {
            let report = try core.applyPage(model: "Bin", items: [remote(bin, 1), remote(Bin(id: "c"), 2)], mark: mark)
            #expect(report.created == 2)
        }
        #expect(statements.count { $0.hasPrefix("BEGIN") } == 1)
        #expect(statements.first == "PRAGMA synchronous=NORMAL")
        #expect(try core.mark(of: "Bin") == mark)
        let after = try core.connection.recordingStatements { try core.save(Zone(id: "z")) }
        #expect(after.first == "PRAGMA synchronous=FULL")
    }

    @Test("C10: each row of a first page costs one statement")
    func eachRowOfAFirstPageCostsOneStatement() throws {
        let core = try memoryCore()
        let items = (0..<200).map { remote(Bin(id: "b\($0)"), 1) }
        let statements = try core.connection.recordingStatements {
            try core.applyPage(model: "Bin", items: items, mark: nil)
        }
        #expect(statements.count <= 205)
    }

    @Test("D70: an older or equal version is ignored")
    func anOlderOrEqualVersionIsIgnored() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 5)])
        let report = try core.applyRemote([remote(bin.with { $0.place = 9 }, 5), remote(bin.with { $0.place = 8 }, 4)])
        #expect(report.ignored == 2)
        #expect(try core.bin("b") == bin)
    }

    @Test("D72 C22: a late update does not bring a deleted record back")
    func aLateUpdateDoesNotBringADeletedRecordBack() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1), remote(bin, 3, deleted: true), remote(bin, 2)])
        #expect(try core.bin("b") == nil)
        try core.applyRemote([remote(Bin(id: "never"), 2, deleted: true), remote(Bin(id: "never"), 1)])
        #expect(try core.bin("never") == nil)
    }

    @Test("D70: an older tombstone does not remove a newer row")
    func anOlderTombstoneDoesNotRemoveANewerRow() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 5)])
        try core.applyRemote([remote(bin, 4, deleted: true)])
        #expect(try core.bin("b") != nil)
    }

    @Test("D71 C7: other fields are seen at once while a local change waits")
    func otherFieldsAreSeenAtOnceWhileALocalChangeWaits() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.save(bin.with { $0.place = 2 })
        try core.applyRemote([remote(bin.with { $0.note = "theirs" }, 2)])
        #expect(
            try core.bin("b")
                == bin.with {
                    $0.place = 2; $0.note = "theirs"
                })
        let entry = try #require(try core.outbox().first)
        #expect(entry.baseVersion == 2 && entry.fields == ["place": 2] && entry.base == ["place": 1])
    }

    @Test func aRemoteChangeOfTheSameFieldLeavesTheBaseForTheBackendToJudge() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.save(bin.with { $0.place = 2 })
        try core.applyRemote([remote(bin.with { $0.place = 7 }, 2)])
        #expect(try core.bin("b")?.place == 2)
        #expect(try core.outbox().first?.baseVersion == 1)
        #expect(try core.read { try $0.difference(try $0.outbox()[0]) }.first?.remote == 7)
    }

    @Test func aChangeTheBackendAlreadyHasIsNotSent() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.save(bin.with { $0.place = 2 })
        try core.applyRemote([remote(bin.with { $0.place = 2 }, 2)])
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 2))
    }

    @Test func whatIsBeingSentIsNotRebased() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.save(bin.with { $0.place = 2 })
        let sent = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.applyRemote([remote(bin.with { $0.note = "x" }, 2)])
        #expect(try core.outbox()[0].fieldsJSON == sent.fieldsJSON)
        #expect(try core.outbox()[0].baseVersion == 1)
        #expect(
            try core.bin("b")
                == bin.with {
                    $0.place = 2; $0.note = "x"
                })
    }

    @Test func aRecordDeletedThereAndChangedHereStaysUntilTheAnswer() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.save(bin.with { $0.place = 2 })
        try core.applyRemote([remote(bin, 2, deleted: true)])
        #expect(try core.bin("b")?.place == 2)
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.settle([MutationResult(order: entry.order, outcome: .conflict(remote(bin, 2, deleted: true)))])
        #expect(try core.bin("b") == nil)
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func aRecordDeletedOnBothSidesIsDone() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        try core.applyRemote([remote(bin, 2, deleted: true)])
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.bin("b") == nil)
    }

    @Test func aRecordChangedThereAndDeletedHereStaysDeletedHere() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 1)])
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        try core.applyRemote([remote(bin.with { $0.note = "x" }, 2)])
        #expect(try core.bin("b") == nil)
        let order = try core.outbox()[0].order
        try core.write(as: nil) { try $0.revertOutbox(order) }
        #expect(try core.bin("b")?.note == "x")
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 2))
    }

    @Test("D68 D93 C20: a row that is not understood is kept aside and the page goes on")
    func aRowThatIsNotUnderstoodIsKeptAsideAndThePageGoesOn() throws {
        var events: [StoreEvent] = []
        let core = try memoryCore()
        core.onEvent = { events.append($0) }
        var cave = bin.record
        cave["shape"] = .text("cave")
        var headless = Bin(id: "h").record
        headless["code"] = .null
        let page = [
            RemoteRecord(record: cave, version: 1, lastChangedAt: 1), remote(Bin(id: "ok"), 1),
            RemoteRecord(record: headless, version: 1, lastChangedAt: 1),
        ]
        let strange = UnreadableRecord(model: "Bin", id: "x", version: 3, json: "{}", reason: "place: not an Int")
        let report = try core.applyPage(
            model: "Bin", items: page, unreadable: [strange], mark: SyncMark(model: "Bin", lastSync: 5))
        #expect(report.quarantined == 3 && report.created == 1)
        #expect(try core.quarantined().map(\.id) == ["b", "h", "x"])
        #expect(try core.mark(of: "Bin").lastSync == 5)
        #expect(events.contains(.quarantined(strange)))
        try core.applyRemote([remote(bin, 2)])
        #expect(try core.quarantined().map(\.id) == ["h", "x"])
    }

    @Test("a record that is made anew after its deletion can be changed again")
    func aRecordMadeAnewAfterItsDeletionCanBeChanged() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(bin, 3), remote(bin, 4, deleted: true)])
        #expect(throws: StoreError.self) { try core.save(bin) }
        try core.applyRemote([remote(bin, 5)])
        try core.save(bin.with { $0.note = "again" })
        #expect(try core.outbox().map(\.kind) == [.update])
        // An older change that comes late is older than the row.
        try core.applyRemote([remote(bin, 3)])
        #expect(try core.bin("b")?.note == "again")
    }

    @Test("a backend that forgets deletions counts a record made anew from one again")
    func versionsFromOneAgain() throws {
        let core = try memoryCore()
        let day: Int64 = 86_400_000
        try core.applyRemote([remote(bin, 3), remote(bin, 4, deleted: true)])
        try core.applyRemote([RemoteRecord(record: bin.record, version: 3, lastChangedAt: 4000 + day / 2)])
        #expect(try core.bin("b") == nil, "what comes late is not made anew")
        try core.applyRemote([RemoteRecord(record: bin.record, version: 1, lastChangedAt: 4000 + 2 * day)])
        #expect(try core.bin("b") != nil)
        try core.save(bin.with { $0.note = "again" })
    }

    @Test("what cannot be understood goes with what takes its model's rows away")
    func quarantinedRowsGoToo() throws {
        func strange(_ version: Int64) -> UnreadableRecord {
            UnreadableRecord(
                model: "Bin", id: "x", version: version, json: #"{"id":"x","_lastChangedAt":2000}"#, reason: "new case")
        }
        let ways: [(StoreCore) throws -> Void] = [
            { try $0.setMark(SyncMark(model: "Bin")) },
            { try $0.applyPage(model: "Bin", items: [], left: ["x"], leftUpTo: 2000, mark: nil) },
            { _ = try $0.sweep(model: "Bin", changedUpTo: 5000, reader: nil) { $0 == "x" } },
            { try $0.setPolicies(["Bin": .upstream], as: nil) },
        ]
        for (number, way) in ways.enumerated() {
            let core = try memoryCore()
            try core.applyPage(
                model: "Bin", items: [], unreadable: [strange(3)], mark: SyncMark(model: "Bin", lastSync: 5))
            #expect(try core.quarantined().count == 1)
            try way(core)
            #expect(try core.quarantined().isEmpty, "\(number)")
        }
        let core = try memoryCore()
        try core.applyPage(
            model: "Bin", items: [], unreadable: [strange(3)], mark: SyncMark(model: "Bin", lastSync: 5))
        try core.applyPage(model: "Bin", items: [], left: ["x"], leftUpTo: 1999, mark: nil)
        #expect(try core.quarantined().count == 1, "it changed later than it left")
        _ = try core.sweep(model: "Bin", changedUpTo: 1999, reader: nil) { $0 == "x" }
        #expect(try core.quarantined().count == 1, "it is newer than the comparison")
        // What is no JSON is no obstacle.
        try core.applyPage(
            model: "Bin", items: [],
            unreadable: [UnreadableRecord(model: "Bin", id: "y", version: 1, json: "no JSON", reason: "odd")], mark: nil
        )
        try core.applyPage(model: "Bin", items: [], left: ["y"], leftUpTo: 9000, mark: nil)
        #expect(try core.quarantined().map(\.id) == ["x", "y"])
        try core.setPolicies(["Bin": .upstream], as: nil)
        #expect(try core.quarantined().isEmpty)
    }

    @Test("that a create was taken stays known by its answer, which could not be understood")
    func confirmedByAnUnreadableAnswer() throws {
        let core = try memoryCore()
        try core.save(bin)
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        let row = UnreadableRecord(model: "Bin", id: "b", version: 1, json: #"{"id":"b"}"#, reason: "new case")
        try core.settle([MutationResult(order: entry.order, outcome: .appliedUnreadable(row))])
        try core.setMark(SyncMark(model: "Bin"))
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        #expect(try core.outbox().map(\.kind) == [.delete])
    }

    @Test("a page brings what the event of the same version did not tell, also under a waiting change")
    func aPageCompletesAnEvent() throws {
        let whole = bin.with { $0.zoneID = "z" }
        for isChanged in [false, true] {
            let core = try memoryCore()
            try core.applyRemote([remote(whole, 4)])
            // The mutation that caused it selected no zone.
            try core.applyRemote([remote(bin, 5)])
            #expect(try core.bin("b")?.zoneID == nil)
            if isChanged { try core.save(bin.with { $0.note = "mine" }) }
            try core.applyPage(model: "Bin", items: [remote(whole, 5)], mark: nil)
            #expect(try core.bin("b") == whole.with { if isChanged { $0.note = "mine" } })
            if let order = try core.outbox().first?.order {
                try core.write(as: nil) { _ = try $0.revertOutbox(order) }
                #expect(try core.bin("b") == whole)
            }
        }
    }

    @Test func rowsBeforeTheirParentsAreKeptAndCounted() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b", zoneID: "z"), 1)])
        #expect(try core.read { try $0.orphanCount(model: "Bin") } == 1)
        try core.applyRemote([remote(Zone(id: "z"), 1)])
        #expect(try core.read { try $0.orphanCount(model: "Bin") } == 0)
    }

    @Test("C15: eviction takes clean rows only and they may come back")
    func evictionTakesCleanRowsOnlyAndTheyMayComeBack() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "clean"), 1), remote(Bin(id: "dirty"), 1)])
        try core.save(Bin(id: "dirty", place: 3))
        #expect(try core.evict(model: "Bin", where: .all) == 1)
        #expect(try core.bin("dirty") != nil)
        try core.applyRemote([remote(Bin(id: "clean"), 1)])
        #expect(try core.bin("clean") != nil)
    }

    @Test func localAndRemoteChangesCanBeTold() throws {
        let core = try memoryCore()
        var told: [Change] = []
        _ = core.addObserver { told += $0.changes }
        try core.save(bin)
        try core.applyRemote([
            remote(Zone(id: "z"), 1), remote(Zone(id: "z", code: "y"), 2), remote(Zone(id: "z"), 3, deleted: true),
        ])
        #expect(told.map(\.isLocal) == [true, false, false, false])
        #expect(told.map(\.kind) == [.created, .created, .updated, .deleted])
    }

    @Test("D70: at a backend without lives, a record made anew under a forgotten key takes its old row's place")
    func madeAnew() throws {
        for hasWaiting in [false, true] {
            let core = try memoryCore()
            try core.applyRemote([remote(Bin(id: "b", place: 1, note: "old"), 7)])
            if hasWaiting { try core.save(Bin(id: "b", place: 2, note: "old")) }
            let new = Bin(id: "b", place: 1, note: "new").record
            let day: Int64 = 86_400_000
            // What only comes late says nothing.
            try core.applyRemote([RemoteRecord(record: new, version: 1, lastChangedAt: 7000 + day)])
            #expect(try core.bin("b")?.note == "old")
            try core.applyRemote([RemoteRecord(record: new, version: 1, lastChangedAt: 7001 + day)])
            #expect(try core.bin("b") == Bin(id: "b", place: hasWaiting ? 2 : 1, note: "new"))
            if hasWaiting {
                #expect(try core.outbox().map(\.baseVersion) == [1])
            } else {
                #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 1))
            }
        }
    }

    @Test("D70: a backend with lives never counts back, so that such a record is none of its own")
    func neverAnewInALife() throws {
        let core = try memoryCore()
        core.setLife(epoch: "one", began: nil)
        try core.applyRemote([remote(Bin(id: "b", place: 1, note: "new"), 7)])
        let late = RemoteRecord(record: Bin(id: "b").record, version: 1, lastChangedAt: 900_000_000)
        try core.applyRemote([late])
        #expect(try core.bin("b")?.note == "new")
    }
}
