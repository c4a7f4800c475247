import Basics
import Models
import Testing

@testable import DataStore

@Suite struct OutboxMergeTests {
    private func mutation(_ kind: MutationKind, _ fields: JSONObject, _ base: JSONObject = [:]) -> PendingMutation {
        PendingMutation(kind: kind, fields: fields, base: base)
    }

    @Test func createThenUpdateIsOneCreate() {
        let result = OutboxMerge.merge(
            mutation(.create, ["id": "1", "a": 1, "b": 2]), mutation(.update, ["a": 5, "b": nil], ["a": 1, "b": 2]))
        #expect(result == .replace(mutation(.create, ["id": "1", "a": 5])))
    }

    @Test func createThenDeleteIsNothing() {
        #expect(OutboxMerge.merge(mutation(.create, ["id": "1"]), mutation(.delete, ["id": "1"])) == .cancel)
    }

    @Test("D46: update then update keeps the first base")
    func updateThenUpdateKeepsTheFirstBase() {
        let result = OutboxMerge.merge(
            mutation(.update, ["a": 2], ["a": 1]), mutation(.update, ["a": 3, "b": 9], ["a": 2, "b": 8]))
        #expect(result == .replace(mutation(.update, ["a": 3, "b": 9], ["a": 1, "b": 8])))
    }

    @Test func anUpdateBackToItsBaseIsNothing() {
        #expect(
            OutboxMerge.merge(mutation(.update, ["a": 2], ["a": 1]), mutation(.update, ["a": 1], ["a": 2])) == .cancel)
    }

    @Test func updateThenDeleteIsADeleteOfTheFirstBase() {
        let result = OutboxMerge.merge(
            mutation(.update, ["a": 2], ["a": 1]), mutation(.delete, ["id": "1"], ["id": "1", "a": 2, "b": 3]))
        #expect(result == .replace(mutation(.delete, ["id": "1"], ["id": "1", "a": 1, "b": 3])))
    }

    @Test func deleteThenCreateIsTheDifference() {
        let result = OutboxMerge.merge(
            mutation(.delete, ["id": "1"], ["id": "1", "a": 1, "b": 2]), mutation(.create, ["id": "1", "a": 5]))
        #expect(result == .replace(mutation(.update, ["a": 5, "b": nil], ["a": 1, "b": 2])))
        #expect(
            OutboxMerge.merge(mutation(.delete, ["id": "1"], ["id": "1"]), mutation(.create, ["id": "1"])) == .cancel)
    }

    @Test(
        "D46: what cannot follow is impossible",
        arguments: [
            (MutationKind.create, MutationKind.create), (.update, .create), (.delete, .update), (.delete, .delete),
        ])
    func whatCannotFollowIsImpossible(_ waiting: MutationKind, _ new: MutationKind) {
        #expect(OutboxMerge.merge(mutation(waiting, [:]), mutation(new, [:])) == .impossible)
    }
}

@Suite struct OutboxThroughTheStoreTests {
    @Test func anUnsentRecordThatIsChangedIsOneCreate() throws {
        let core = try memoryCore()
        try core.save(Bin(id: "b", place: 1, note: "x"))
        try core.save(Bin(id: "b", place: 2, note: nil))
        let entries = try core.outbox()
        #expect(entries.map(\.kind) == [.create])
        #expect(entries[0].fields["place"] == 2)
        #expect(entries[0].fields["note"] == nil)
        #expect(core.outboxStatus == OutboxStatus(queued: 1))
    }

    @Test func anUnsentRecordThatIsDeletedLeavesNothing() throws {
        let core = try memoryCore()
        try core.save(Bin(id: "b"))
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        #expect(try core.outbox().isEmpty)
        #expect(core.outboxStatus.isEmpty)
        try core.save(Bin(id: "b"))
        #expect(try core.outbox().map(\.kind) == [.create])
    }

    @Test func aDeleteTakenBackBeforeItWasSentIsAnUpdateOfTheSameVersion() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b", place: 1, note: "n"), 6)])
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        try core.save(Bin(id: "b", place: 2, note: "n"))
        let entries = try core.outbox()
        #expect(entries.map(\.kind) == [.update])
        #expect(entries[0].fields == ["place": 2])
        #expect(entries[0].baseVersion == 6)
        try core.applyRemote([remote(Bin(id: "b", place: 1, note: "n"), 6)])
        #expect(try core.bin("b")?.place == 2)
    }

    @Test func theIdOfADeletedRecordIsNotUsedAgain() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b"), 1)])
        try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        _ = try core.nextMutations(limit: 1)
        #expect(throws: StoreError.deleted(model: "Bin", id: "b")) { try core.save(Bin(id: "b")) }
        #expect(try core.bin("b") == nil)
        try core.settle([
            MutationResult(order: try core.outbox()[0].order, outcome: .applied(remote(Bin(id: "b"), 2, deleted: true)))
        ])
        #expect(throws: StoreError.deleted(model: "Bin", id: "b")) { try core.save(Bin(id: "b")) }
    }

    @Test("D47 D48: nothing is merged into what is being sent")
    func nothingIsMergedIntoWhatIsBeingSent() throws {
        let core = try memoryCore()
        try core.save(Bin(id: "b", place: 1))
        let batch = try #require(try core.nextMutations(limit: 10))
        try core.save(Bin(id: "b", place: 2))
        try core.save(Bin(id: "b", place: 3))
        let entries = try core.outbox()
        #expect(entries.map(\.kind) == [.create, .update])
        #expect(entries[0].fieldsJSON == batch.entries[0].fieldsJSON)
        #expect(entries[1].fields == ["place": 3])
        #expect(entries[1].base == ["place": 1])
        #expect(try core.nextMutations(limit: 10) == nil)
    }

    @Test func nothingIsMergedIntoWhatMayHaveArrived() throws {
        let core = try memoryCore()
        try core.save(Bin(id: "b", place: 1))
        let sent = try #require(try core.nextMutations(limit: 10)?.entries.first)
        try core.settle([MutationResult(order: sent.order, outcome: .transient(reason: "timeout", delay: 0))])
        try core.save(Bin(id: "b", place: 2))
        let again = try #require(try core.nextMutations(limit: 10))
        #expect(again.entries.map(\.mutationID) == [sent.mutationID])
        #expect(again.entries.map(\.fieldsJSON) == [sent.fieldsJSON])
        #expect(again.entries.map(\.attempts) == [1])
    }

    @Test func twoPeoplesChangesOfOneRecordStayApart() throws {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b", place: 1), 1)])
        try core.save(Bin(id: "b", place: 2), identity: "ann")
        try core.save(Bin(id: "b", place: 3), identity: "bob")
        try core.save(Bin(id: "b", place: 4), identity: "ann")
        #expect(try core.outbox().map(\.identity) == ["ann", "bob", "ann"])
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(batch.identity == "ann" && batch.entries.count == 1)
        #expect(try core.nextMutations(limit: 10) == nil)
    }
}
