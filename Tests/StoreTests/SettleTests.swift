import Basics
import Models
import Testing

@testable import DataStore

@Suite struct SettleTests {
    /// A bin at version 1 with a local change being sent.
    private func sending(_ change: (inout Bin) -> Void, _ options: (inout StoreOptions) -> Void = { _ in }) throws -> (
        StoreCore, OutboxEntry
    ) {
        let core = try memoryCore(options)
        try core.applyRemote([remote(base, 1)])
        try core.save(base.with(change))
        return (core, try #require(try core.nextMutations(limit: 1)?.entries.first))
    }

    private let base = Bin(id: "b", place: 1, note: "n")

    private func settle(_ core: StoreCore, _ entry: OutboxEntry, _ outcome: MutationResult.Outcome) throws
        -> ApplyReport
    {
        try core.settle([MutationResult(order: entry.order, outcome: outcome)])
    }

    @Test func anAppliedCreateTakesTheBackendsVersion() throws {
        let core = try memoryCore()
        try core.save(base)
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .sending)
        _ = try settle(core, entry, .applied(remote(base.with { $0.updatedAt = DateTime(milliseconds: 9) }, 1)))
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 1))
        #expect(try core.bin("b")?.updatedAt == DateTime(milliseconds: 9))
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func settlingACreateReadsOnceAndWritesTwice() throws {
        let core = try memoryCore()
        try core.save(Pass(id: "p"), Entry(id: "e", passID: "p"))
        let batch = try #require(try core.nextMutations(limit: 2))
        let results = try batch.entries.map {
            MutationResult(order: $0.order, outcome: .applied(try core.accepted($0, 1)))
        }
        let statements = try core.connection.recordingStatements { try core.settle(results) }
        // Beside these the transaction, and the greatest number that was given, once.
        #expect(statements.count <= 3 + 2 * 4, "\(statements)")
    }

    @Test("an answer of before its record was seen to be gone does not bring it back")
    func goneSince() throws {
        let (core, entry) = try sending { $0.place = 2 }
        // Carried out as version 2, whose answer was lost; then deleted; then all was fetched, without it.
        #expect(try core.sweep(model: "Bin", changedUpTo: 2500, reader: nil) { _ in true } == 0)
        #expect(try core.bin("b")?.place == 2, "what is unsent is seen")
        _ = try settle(core, entry, .applied(remote(base.with { $0.place = 2 }, 2)))
        #expect(try core.bin("b") == nil)
        #expect(core.outboxStatus.isEmpty)
        // Nor does its echo; who makes it anew does.
        try core.applyRemote([remote(base.with { $0.place = 2 }, 2)])
        #expect(try core.bin("b") == nil)
        try core.applyRemote([remote(base.with { $0.place = 7 }, 4)])
        #expect(try core.bin("b")?.place == 7)
    }

    @Test("what is missing for another reader is not gone: its author's change is answered, and he sees it again")
    func missingForAnother() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.save(base.with { $0.place = 2 }, identity: "ann")
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        _ = try core.sweep(model: "Bin", changedUpTo: 2500, reader: "bob") { _ in true }
        let done = remote(base.with { $0.place = 2 }, 2)
        _ = try settle(core, entry, .applied(done))
        #expect(try core.bin("b")?.place == 2)
        // Let go of as not for him, and fetched again by its author.
        _ = try core.sweep(model: "Bin", changedUpTo: 3000, reader: "bob") { _ in true }
        #expect(try core.bin("b") == nil)
        try core.applyRemote([done])
        #expect(try core.bin("b")?.place == 2)
    }

    @Test("what is missing because nobody asked for it is not gone: its change is answered, and a wider scope shows it")
    func missingOutsideScope() throws {
        for (isAsked, isSeen) in [({ (_: Record) in true }, false), ({ $0["note"] != .text("n") }, true)] {
            let (core, entry) = try sending { $0.place = 2 }
            _ = try core.sweep(model: "Bin", changedUpTo: 2500, reader: nil, isAsked: isAsked) { _ in true }
            let done = remote(base.with { $0.place = 2 }, 2)
            _ = try settle(core, entry, .applied(done))
            try core.applyRemote([done])
            #expect((try core.bin("b") != nil) == isSeen)
        }
    }

    @Test(
        "a change that is answered later than its record was missed stands, and one that is taken back leaves nothing"
    )
    func missedBefore() throws {
        let (core, entry) = try sending { $0.place = 2 }
        _ = try core.sweep(model: "Bin", changedUpTo: 1500, reader: nil) { _ in true }
        _ = try settle(core, entry, .applied(remote(base.with { $0.place = 2 }, 2)))
        #expect(try core.bin("b")?.place == 2)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 2))

        let (other, refused) = try sending { $0.place = 2 }
        _ = try other.sweep(model: "Bin", changedUpTo: 1500, reader: nil) { _ in true }
        _ = try settle(other, refused, .refused(code: "Unauthorized", message: "no"))
        try other.write(as: nil) { _ = try $0.revertOutbox(refused.order) }
        #expect(try other.bin("b") == nil)
        #expect(other.outboxStatus.isEmpty)
    }

    @Test("D50 C6: a change made while sending is put on the answers version")
    func aChangeMadeWhileSendingIsPutOnTheAnswersVersion() throws {
        let (core, entry) = try sending { $0.place = 2 }
        try core.save(base.with { $0.place = 3 })
        _ = try settle(core, entry, .applied(remote(base.with { $0.place = 2 }, 2)))
        let next = try #require(try core.outbox().first)
        #expect(next.baseVersion == 2)
        #expect(next.base == ["place": 2])
        #expect(try core.bin("b")?.place == 3)
        #expect(try core.sendAll(version: 3) == 1)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 3))
    }

    @Test func anotherPersonsFieldInTheAnswerIsSeenWhileOursWaits() throws {
        let (core, entry) = try sending { $0.place = 2 }
        try core.save(
            base.with {
                $0.place = 2; $0.note = "mine"
            })
        _ = try settle(
            core, entry,
            .applied(
                remote(
                    base.with {
                        $0.place = 2; $0.code = "theirs"
                    }, 3)))
        #expect(
            try core.bin("b")
                == base.with {
                    $0.place = 2; $0.note = "mine"; $0.code = "theirs"
                })
        #expect(try core.outbox().map(\.fields) == [["note": "mine"]])
        #expect(try core.outbox().map(\.baseVersion) == [3])
    }

    @Test("D54: a field that came back with its base is sent again")
    func aFieldThatCameBackWithItsBaseIsSentAgain() throws {
        let (core, entry) = try sending {
            $0.place = 2; $0.note = "mine"
        }
        let report = try settle(core, entry, .applied(remote(base.with { $0.note = "mine" }, 3)))
        #expect(report.requeued == 1)
        let again = try #require(try core.outbox().first)
        #expect(again.fields == ["place": 2] && again.base == ["place": 1] && again.baseVersion == 3)
        #expect(again.mutationID != entry.mutationID)
        #expect(try core.bin("b")?.place == 2)
        #expect(try core.sendAll(version: 4) == 1)
    }

    @Test func aFieldThatIsDroppedAgainAndAgainIsParked() throws {
        let (core, first) = try sending { $0.place = 2 }
        var entry = first
        for version in 2..<Int64(2 + StoreCore.roundLimit) {
            _ = try settle(core, entry, .applied(remote(base, version)))
            guard let next = try core.nextMutations(limit: 1)?.entries.first else { break }
            entry = next
        }
        #expect(core.outboxStatus == OutboxStatus(parked: 1))
        #expect(try core.outbox()[0].reason?.contains("place") ?? false)
        #expect(try core.bin("b")?.place == 2)
    }

    @Test func aFieldThatCameBackAsAnothersIsAConflictThatStands() throws {
        var events: [StoreEvent] = []
        let (core, entry) = try sending { $0.place = 2 }
        core.onEvent = { events.append($0) }
        _ = try settle(core, entry, .applied(remote(base.with { $0.place = 7 }, 3)))
        #expect(try core.bin("b")?.place == 7)
        #expect(core.outboxStatus.isEmpty)
        #expect(events.contains(.conflict(model: "Bin", id: "b", fields: ["place"])))
    }

    @Test("D50: a later change of an overruled field keeps its old base for the backend to judge")
    func aLaterChangeOfAnOverruledFieldKeepsItsOldBaseForTheBackendToJudge() throws {
        let (core, entry) = try sending { $0.place = 2 }
        try core.save(base.with { $0.place = 3 })
        _ = try settle(core, entry, .applied(remote(base.with { $0.place = 7 }, 3)))
        let next = try #require(try core.outbox().first)
        #expect(next.baseVersion == 1)
        #expect(try core.bin("b")?.place == 3)
    }

    @Test("D54: the answer may come after a later change by subscription")
    func theAnswerMayComeAfterALaterChangeBySubscription() throws {
        let (core, entry) = try sending { $0.place = 2 }
        try core.applyRemote([remote(base.with { $0.place = 2 }, 2)])
        try core.applyRemote([
            remote(
                base.with {
                    $0.place = 9; $0.note = "x"
                }, 3)
        ])
        #expect(
            try core.bin("b")
                == base.with {
                    $0.place = 2; $0.note = "x"
                })
        _ = try settle(core, entry, .applied(remote(base.with { $0.place = 2 }, 2)))
        #expect(
            try core.bin("b")
                == base.with {
                    $0.place = 9; $0.note = "x"
                })
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 3))
        #expect(try core.connection.value("SELECT count(*) FROM _shadow") == .integer(0))
    }

    @Test func aDroppedFieldThatSomebodyChangedSinceIsNotSentOverIt() throws {
        let (core, entry) = try sending { $0.place = 2 }
        try core.applyRemote([remote(base.with { $0.place = 9 }, 3)])
        _ = try settle(core, entry, .applied(remote(base, 2)))
        #expect(try core.bin("b")?.place == 9)
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func aDeleteThatArrivedLeavesATombstone() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(base, 1)])
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        _ = try settle(core, entry, .applied(remote(base, 2, deleted: true)))
        try core.applyRemote([remote(base, 1)])
        #expect(try core.bin("b") == nil)
    }

    @Test func aDeleteMadeWhileItsCreateIsSentFollowsIt() throws {
        let core = try memoryCore()
        try core.save(base)
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        _ = try settle(core, entry, .applied(remote(base, 1)))
        #expect(try core.bin("b") == nil)
        let delete = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(delete.kind == .delete && delete.baseVersion == 1)
        _ = try settle(core, delete, .applied(remote(base, 2, deleted: true)))
        #expect(try core.bin("b") == nil)
        #expect(core.outboxStatus.isEmpty)
    }

    @Test("a delete of what was shown goes on the newest version; of what was not, on the version that was seen")
    func aDeleteOverSomethingUnseenIsJudged() throws {
        func deleting(_ answer: Bin) throws -> OutboxEntry {
            let (core, entry) = try sending { $0.place = 2 }
            try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
            _ = try settle(core, entry, .applied(remote(answer, 5)))
            return try #require(try core.nextMutations(limit: 1)?.entries.first)
        }
        let seen = try deleting(base.with { $0.place = 2 })
        #expect(seen.kind == .delete && seen.baseVersion == 5)
        // Somebody's note was merged in; who deleted the record has never seen it.
        let unseen = try deleting(
            base.with {
                $0.place = 2; $0.note = "keep this"
            })
        #expect(unseen.kind == .delete && unseen.baseVersion == 1)
        #expect(unseen.base["note"] == "n")
        // What the merge dropped of the own change is nobody's news.
        let dropped = try deleting(base)
        #expect(dropped.baseVersion == 5)
    }

    @Test("D77: a refused change is parked with its reason and stays visible")
    func aRefusedChangeIsParkedWithItsReasonAndStaysVisible() throws {
        var events: [StoreEvent] = []
        let (core, entry) = try sending { $0.place = 2 }
        core.onEvent = { events.append($0) }
        _ = try settle(core, entry, .refused(code: "Unauthorized", message: "no"))
        let parked = try #require(try core.outbox().first)
        #expect(parked.state == .parked && parked.reason == "Unauthorized: no")
        #expect(events.contains(.parked(parked)))
        #expect(events.last == .outboxStatus(OutboxStatus(parked: 1)))
        #expect(try core.bin("b")?.place == 2)
    }

    @Test func aConflictIsGivenUpByDefault() throws {
        let (core, entry) = try sending { $0.place = 2 }
        _ = try settle(core, entry, .conflict(remote(base.with { $0.place = 5 }, 4)))
        #expect(try core.bin("b")?.place == 5)
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func aConflictMayBeRetriedOnTheBackendsRecord() throws {
        let (core, entry) = try sending({ $0.place = 2 }, { $0.conflictHandler = { _ in .retryLocal } })
        _ = try settle(
            core, entry,
            .conflict(
                remote(
                    base.with {
                        $0.place = 5; $0.note = "x"
                    }, 4)))
        let again = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(again.fields == ["place": 2] && again.base == ["place": 5] && again.baseVersion == 4)
        #expect(again.mutationID != entry.mutationID)
        #expect(
            try core.bin("b")
                == base.with {
                    $0.place = 2; $0.note = "x"
                })
    }

    @Test func aConflictMayBeAnsweredWithAnotherRecord() throws {
        let merged = base.with {
            $0.place = 6; $0.note = "both"
        }
        let (core, entry) = try sending({ $0.place = 2 }, { $0.conflictHandler = { _ in .retry(merged.record) } })
        _ = try settle(core, entry, .conflict(remote(base.with { $0.place = 5 }, 4)))
        let again = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(again.fields == ["place": 6, "note": "both"])
        #expect(try core.bin("b") == merged)
    }

    @Test("C5: a conflict retried for ever is parked")
    func aConflictRetriedForEverIsParked() throws {
        let (core, first) = try sending({ $0.place = 2 }, { $0.conflictHandler = { _ in .retryLocal } })
        var entry = first
        for round in 0..<10 {
            _ = try settle(core, entry, .conflict(remote(base.with { $0.place = 5 }, 4 + Int64(round))))
            guard let next = try core.nextMutations(limit: 1)?.entries.first else { break }
            entry = next
        }
        #expect(core.outboxStatus == OutboxStatus(parked: 1))
    }

    @Test func aCreateThatMeetsAnotherRecordIsParkedAndItsOwnIsSettled() throws {
        let core = try memoryCore()
        try core.save(Pass(id: "p"), Entry(id: "e", passID: "p", quantity: 2), Entry(id: "f", passID: "p", quantity: 3))
        let entries = try #require(try core.nextMutations(limit: 9)?.entries)
        try core.settle([
            MutationResult(order: entries[0].order, outcome: .applied(remote(Pass(id: "p"), 1))),
            MutationResult(
                order: entries[1].order, outcome: .conflict(remote(Entry(id: "e", passID: "p", quantity: 2), 1))),
            MutationResult(
                order: entries[2].order, outcome: .conflict(remote(Entry(id: "f", passID: "p", quantity: 9), 1))),
        ])
        #expect(try core.outbox().map(\.id) == ["f"])
        #expect(try core.read { try $0.get(Entry.self, id: "f") }?.quantity == 3)
    }

    @Test("D80: a malformed conflict is parked")
    func aMalformedConflictIsParked() throws {
        let (core, entry) = try sending { $0.place = 2 }
        _ = try settle(core, entry, .conflict(nil))
        #expect(core.outboxStatus == OutboxStatus(parked: 1))
    }

    @Test func aWholeBatchSettlesInOneTransaction() throws {
        let core = try memoryCore()
        for number in 0..<20 { try core.save(Zone(id: "\(number)")) }
        let batch = try #require(try core.nextMutations(limit: 20))
        let results = try batch.entries.map {
            MutationResult(order: $0.order, outcome: .applied(try core.accepted($0, 1)))
        }
        let statements = try core.connection.recordingStatements { try core.settle(results) }
        #expect(statements.count { $0 == "COMMIT" } == 1)
        #expect(core.outboxStatus.isEmpty)
    }

    @Test func anAnswerToAnEntryThatIsGoneStillBringsItsRecord() throws {
        let core = try memoryCore()
        try core.settle([MutationResult(order: 99, outcome: .applied(remote(Zone(id: "z"), 1)))])
        #expect(try core.read { try $0.get(Zone.self, id: "z") } != nil)
    }

    @Test func anAnswerThisClientDoesNotUnderstandIsKeptAsideAndTheEntryIsDone() throws {
        let (core, entry) = try sending { $0.place = 2 }
        var strange = remote(base.with { $0.place = 2 }, 2).record
        strange["shape"] = .text("cave")
        let report = try settle(core, entry, .applied(RemoteRecord(record: strange, version: 2, lastChangedAt: 1)))
        #expect(report.quarantined == 1)
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.bin("b")?.place == 2)
    }

    @Test("C1: an entry of a model that the schema has no more is parked when it is answered")
    func unknownModel() throws {
        let problems = Locked<[StoreProblem]>([])
        let core = try memoryCore { $0.errorHandler = { problem in problems.withLock { $0.append(problem) } } }
        try core.save(Zone(id: "z"), Pass(id: "p"))
        try core.connection.run("UPDATE \"_outbox\" SET \"model\"='Gone' WHERE \"id\"='z'")
        let entries = try #require(try core.nextMutations(limit: 10)?.entries)
        #expect(entries.map(\.model) == ["Gone", "Pass"])
        try core.settle([
            MutationResult(order: entries[0].order, outcome: .refused(code: "UnknownModel", message: "no Gone")),
            MutationResult(order: entries[1].order, outcome: .applied(remote(Pass(id: "p"), 1))),
        ])
        #expect(core.outboxStatus == OutboxStatus(parked: 1))
        #expect(try core.outbox().first?.reason == "the schema has no Gone any more")
        #expect(problems.current.map(\.errorType) == [.badModel])
        #expect(problems.current.first?.model == "Gone")
    }
}
