import Basics
import Models
import Testing

@testable import DataStore

/// What a conflict comes to: what was changed here × what happened there × what the handler says.
struct ConflictCase: Sendable, CustomTestStringConvertible {
    let deletesHere: Bool
    let deletedThere: Bool
    let resolution: ConflictResolution

    var testDescription: String {
        "\(deletesHere ? "delete" : "update") here, \(deletedThere ? "deleted" : "updated") there, \(resolution)"
    }

    static let all: [ConflictCase] = [true, false].flatMap { here in
        [true, false].flatMap { there in
            [ConflictResolution.applyRemote, .retryLocal, .retry(Bin(id: "b", place: 7).record)].map {
                ConflictCase(deletesHere: here, deletedThere: there, resolution: $0)
            }
        }
    }
}

@Suite("Conflicts")
struct ConflictMatrixTests {
    @Test("D78: what the row, the outbox and the next request are after a conflict", arguments: ConflictCase.all)
    func matrix(_ conflict: ConflictCase) throws {
        let core = try memoryCore { $0.conflictHandler = { _ in conflict.resolution } }
        try core.applyRemote([remote(Bin(id: "b", place: 1), 1)])
        try core.write(as: nil) { tx in
            if conflict.deletesHere {
                _ = try tx.delete(Bin.self, id: "b")
            } else {
                try tx.save(Bin(id: "b", place: 2))
            }
        }
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        let theirs = remote(Bin(id: "b", place: 3, note: "theirs"), 5, deleted: conflict.deletedThere)
        try core.settle([MutationResult(order: entry.order, outcome: .conflict(theirs))])
        let row = try core.bin("b")
        let next = try core.outbox().first
        switch (conflict.resolution, conflict.deletedThere) {
        case (.applyRemote, true):
            #expect(row == nil && next == nil)
        case (.applyRemote, false):
            #expect(row?.place == 3 && row?.note == "theirs" && next == nil)
        case (_, true):
            // There is nothing to put a change on: a person decides.
            #expect(next?.state == .parked && next?.reason == "the backend has deleted the record")
            #expect(row?.place == (conflict.deletesHere ? nil : 2))
        case (.retryLocal, false):
            #expect(next?.baseVersion == 5 && next?.state != .parked && next?.mutationID != entry.mutationID)
            #expect(row?.place == (conflict.deletesHere ? nil : 2))
            if !conflict.deletesHere { #expect(row?.note == "theirs" && next?.fields == ["place": 2]) }
        case (.retry, false):
            #expect(next?.baseVersion == 5 && next?.state != .parked)
            #expect(next?.kind == .update && next?.fields["place"] == 7 && row?.place == 7)
        }
        #expect(try core.connection.integrityProblems().isEmpty)
    }

    @Test("D78: one that conflicted too often has as many rounds again once a person retries it")
    func retried() throws {
        let core = try memoryCore { $0.conflictHandler = { _ in .retryLocal } }
        try core.applyRemote([remote(Bin(id: "b", place: 1), 1)])
        try core.save(Bin(id: "b", place: 2))
        var version: Int64 = 1
        func meetConflicts() throws -> Int {
            var met = 0
            while let entry = try core.nextMutations(limit: 1)?.entries.first {
                version += 1
                met += 1
                let theirs = remote(Bin(id: "b", place: Int(version) + 10), version)
                try core.settle([MutationResult(order: entry.order, outcome: .conflict(theirs))])
            }
            return met
        }
        #expect(try meetConflicts() == StoreCore.roundLimit)
        let order = try #require(try core.outbox().first { $0.state == .parked }).order
        try core.write(as: nil) { try $0.retryOutbox(order) }
        #expect(try meetConflicts() == StoreCore.roundLimit)
        #expect(core.outboxStatus == OutboxStatus(parked: 1))
    }

    /// A record that a handler may give by mistake, and what is said of it.
    static let wrong: [(Record, String)] = [
        (Zone(id: "b").record, "it is one of Zone and not of Bin"),
        (Bin(id: "other", place: 7).record, "it is other and not b"),
        (Record(schema: Bin.schema, values: [.text("b")]), "it is one of Bin and not of Bin"),
        (changed("code", .null), "Bin.code: null is not allowed"),
        (changed("place", .text("seven")), "Bin.place: text(\"seven\") is of another type"),
        (changed("shape", .text("round")), "Bin.shape: Shape has no case round"),
    ]

    private static func changed(_ field: String, _ value: Value) -> Record {
        var record = Bin(id: "b", place: 7).record
        record[field] = value
        return record
    }

    @Test("a handler's record that cannot be sent parks the change, and nothing else waits for that", arguments: wrong)
    func wrongRecord(_ record: Record, _ reason: String) throws {
        let core = try memoryCore { $0.conflictHandler = { _ in .retry(record) } }
        try core.applyRemote([remote(Bin(id: "b", place: 1), 1)])
        try core.save(Bin(id: "b", place: 2), Zone(id: "z"))
        let entries = try #require(try core.nextMutations(limit: 2)).entries
        try core.settle([
            MutationResult(order: entries[0].order, outcome: .conflict(remote(Bin(id: "b", place: 3), 5))),
            MutationResult(order: entries[1].order, outcome: .applied(try core.accepted(entries[1], 1))),
        ])
        let left = try core.outbox()
        #expect(left.map(\.state) == [.parked])
        #expect(left.first?.reason?.hasSuffix(reason) == true, "\(left.first?.reason ?? "")")
        #expect(try core.bin("b")?.place == 2)
        #expect(try core.read { try $0.syncState(model: "Zone", id: "z") } == .synced(version: 1))
    }
}
