import Basics
import Models
import Testing

@testable import DataStore

/// A waiting change of an embedded value meets one that has members which were not known here when it was made.
@Suite("Of an embedded value what was not known here is no contest")
struct EmbeddedRebaseTests {
    private let core: StoreCore
    private let model: ModelSchema
    private let events = Locked<[StoreEvent]>([])

    init() throws {
        model = ModelSchema(
            "Crate", pluralName: "Crates",
            fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("place", .embedded("Place"))])
        let place = [
            FieldSchema("row", .scalar(.int)), FieldSchema("note", .scalar(.string)), FieldSchema("b", .scalar(.int)),
        ]
        core = try StoreCore(
            schema: Schema(models: [model], embedded: ["Place": place]), at: .memory,
            options: testOptions { $0.conflictHandler = { _ in .retryLocal } })
        try core.applyRemote([remote(["row": 1], 1)])
        core.onEvent = { [events] event in events.withLock { $0.append(event) } }
    }

    private func record(_ place: JSONValue) -> Record {
        Record(schema: model, values: [.text("c"), place.isNull ? .null : .text(place.canonical.text)])
    }

    private func remote(_ place: JSONValue, _ version: Int64) -> RemoteRecord {
        RemoteRecord(record: record(place), version: version, lastChangedAt: version * 1000)
    }

    private func save(_ place: JSONValue) throws {
        let record = record(place)
        try core.write(as: nil) { try $0.save(record) }
    }

    private func send() throws -> OutboxEntry { try #require(try core.nextMutations(limit: 1)?.entries.first) }

    private func settle(_ entry: OutboxEntry, _ place: JSONValue, _ version: Int64) throws {
        try core.settle([MutationResult(order: entry.order, outcome: .applied(remote(place, version)))])
    }

    private func shown() throws -> JSONValue? {
        let record = try core.read { try $0.get(model: "Crate", id: "c") }
        return try record?["place"].text.map { try JSONValue(parsing: Array($0.utf8)) }
    }

    private func waits(_ place: JSONValue, over base: JSONValue, _ version: Int64) throws {
        let entries = try core.outbox()
        #expect(entries.map(\.fields) == [["place": place]])
        #expect(entries.map(\.base) == [["place": base]])
        #expect(entries.map(\.baseVersion) == [version])
        #expect(try shown() == place)
        #expect(events.current.allSatisfy { if case .conflict = $0 { false } else { true } })
    }

    @Test func aChangeBehindTheOneThatIsAnsweredStandsOnTheAnswer() throws {
        try save(["row": 2])
        let first = try send()
        try save(["row": 2, "note": "m"])
        try settle(first, ["row": 2, "b": 5], 2)
        try waits(["row": 2, "note": "m", "b": 5], over: ["row": 2, "b": 5], 2)
    }

    @Test func aChangeThatWasNotSentStandsOnWhatComesBySubscription() throws {
        try save(["row": 2])
        try core.applyRemote([remote(["row": 1, "b": 5], 2)])
        try waits(["row": 2, "b": 5], over: ["row": 1, "b": 5], 2)
    }

    @Test func whatTheMergeDroppedIsSentAgainWithTheRest() throws {
        try save(["row": 2])
        try settle(try send(), ["row": 1, "b": 5], 3)
        try waits(["row": 2, "b": 5], over: ["row": 1, "b": 5], 3)
    }

    @Test func ofAChangeThatWasTakenInPartTheRestIsSentAgain() throws {
        try save(["row": 2, "note": "n"])
        try settle(try send(), ["row": 1, "note": "n", "b": 5], 3)
        try waits(["row": 2, "note": "n", "b": 5], over: ["row": 1, "note": "n", "b": 5], 3)
    }

    @Test func aLaterChangeBringsAlongWhatTheMergeDroppedOfTheFirst() throws {
        try save(["row": 2])
        let first = try send()
        try save(["row": 2, "note": "m"])
        try settle(first, ["row": 1, "b": 5], 3)
        try waits(["row": 2, "note": "m", "b": 5], over: ["row": 1, "b": 5], 3)
    }

    @Test func aLaterChangeDoesNotOverwriteWhatItsAuthorNeverSaw() throws {
        try save(["row": 2])
        let first = try send()
        try save(["row": 2, "b": 6])
        try settle(first, ["row": 1, "b": 5], 3)
        #expect(try core.outbox().map(\.baseVersion) == [1], "the backend decides")
        // As its merge does: what is there stays.
        try settle(try send(), ["row": 1, "b": 5], 3)
        #expect(try core.outbox().isEmpty)
        #expect(events.current.contains(.conflict(model: "Crate", id: "c", fields: ["place"])))
    }

    @Test func whoTakesAllOfItAwayIsAskedWhatBecomesOfWhatHeNeverSaw() throws {
        try save(.null)
        try core.applyRemote([remote(["row": 1, "note": "keep"], 2)])
        #expect(try core.outbox().map(\.baseVersion) == [1])
        try settle(try send(), ["row": 1, "note": "keep"], 2)
        #expect(try core.outbox().isEmpty)
        #expect(try shown() == ["row": 1, "note": "keep"])
        #expect(events.current.contains(.conflict(model: "Crate", id: "c", fields: ["place"])))
    }

    /// Sent is a change, and behind it waits a delete.
    private func deleteBehind() throws -> OutboxEntry {
        try save(["row": 2])
        let first = try send()
        try core.write(as: nil) { _ = try $0.delete(model: "Crate", id: "c") }
        return first
    }

    @Test("a delete follows its own change, of which all or nothing was taken", arguments: [1, 2])
    func ownDelete(_ row: Int64) throws {
        try settle(try deleteBehind(), ["row": .integer(row)], 3)
        #expect(try core.outbox().map(\.baseVersion) == [3])
    }

    @Test("a delete takes along no member that was not shown", arguments: [1, 2])
    func unseenMember(_ row: Int64) throws {
        try settle(try deleteBehind(), ["row": .integer(row), "note": "keep"], 3)
        #expect(try core.outbox().map(\.baseVersion) == [1], "it keeps the version that was seen")
    }

    @Test func aDeleteThatIsTriedAgainTakesAlongNoMemberThatWasNotShown() throws {
        try core.write(as: nil) { _ = try $0.delete(model: "Crate", id: "c") }
        var entry = try send()
        try core.settle([MutationResult(order: entry.order, outcome: .transient(reason: "no answer", delay: 0))])
        entry = try send()
        try core.settle([MutationResult(order: entry.order, outcome: .conflict(remote(["row": 1, "note": "keep"], 2)))])
        // The handler was asked: it says that the delete stands.
        #expect(try core.outbox().map(\.rounds) == [1])
        #expect(try core.outbox().map(\.mutationID) != [entry.mutationID])
    }

    @Test func whatAnotherChangedOfItIsAConflictAsBefore() throws {
        try save(["row": 2])
        try settle(try send(), ["row": 7, "b": 5], 3)
        #expect(try core.outbox().isEmpty)
        #expect(try shown() == ["row": 7, "b": 5])
        #expect(events.current.contains(.conflict(model: "Crate", id: "c", fields: ["place"])))
    }

    @Test func aConflictThatIsAnsweredWithOnesOwnLeavesWhatItDidNotKnow() throws {
        try save(["row": 2])
        let entry = try send()
        try core.settle([MutationResult(order: entry.order, outcome: .conflict(remote(["row": 7, "b": 5], 3)))])
        try waits(["row": 2, "b": 5], over: ["row": 7, "b": 5], 3)
    }

    @Test func aMemberThatBothSetIsContested() throws {
        try save(["row": 1, "b": 6])
        try core.applyRemote([remote(["row": 1, "b": 5], 2)])
        #expect(try core.outbox().map(\.baseVersion) == [1], "the backend decides")
        #expect(try core.outbox().map(\.fields) == [["place": ["row": 1, "b": 6]]])
    }
}
