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

    // MARK: Operations

    private static let shelf = ModelSchema(
        "Shelf", pluralName: "Shelves",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("label", .scalar(.string)),
            FieldSchema("count", .scalar(.int), merge: .counter),
            FieldSchema("marks", .scalar(.string), isList: true, isElementRequired: true, merge: .set),
        ])

    private static func shelf(_ label: String, _ count: Int64, marks: String = "[]") -> Record {
        Record(schema: shelf, values: [.text("s"), .text(label), .integer(count), .text(marks)])
    }

    /// A change of the label and operations are on their way, another increment waits behind them, and others added 10 and
    /// wrote the label meanwhile.
    private func conflicting(
        operations: [String: FieldOperation] = ["count": .increment(1)],
        _ handler: @escaping @Sendable (Conflict) -> ConflictResolution
    ) throws -> StoreCore {
        let options = testOptions { $0.conflictHandler = handler }
        let core = try StoreCore(schema: Schema(models: [Self.shelf]), at: .memory, options: options)
        try core.applyRemote([RemoteRecord(record: Self.shelf("a", 0), version: 1, lastChangedAt: 1)])
        try core.write(as: nil) { tx in
            if !operations.isEmpty { try tx.operate(model: "Shelf", id: "s", operations) }
            var record = try #require(try tx.get(model: "Shelf", id: "s"))
            record["label"] = .text("mine")
            try tx.save(record)
        }
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        try core.write(as: nil) { try $0.operate(model: "Shelf", id: "s", ["count": .increment(100)]) }
        let theirs = RemoteRecord(record: Self.shelf("theirs", 10), version: 5, lastChangedAt: 5)
        try core.settle([MutationResult(order: entry.order, outcome: .conflict(theirs))])
        return core
    }

    private func count(_ core: StoreCore) throws -> Int64? {
        try core.read { try $0.get(model: "Shelf", id: "s") }?["count"].integer
    }

    @Test("D78: a handler sees the backend's record with the change in it, and what it leaves of operations stays such")
    func operations() throws {
        let seen = Locked<[Record?]>([])
        let core = try conflicting(
            operations: ["count": .increment(1), "marks": .edit(adding: ["m"], removing: [])]
        ) { conflict in
            seen.withLock { $0.append(conflict.local) }
            var record = conflict.local ?? conflict.remote.record
            record["label"] = .text("both")
            return .retry(record)
        }
        #expect(seen.current == [Self.shelf("mine", 11, marks: "[\"m\"]")])
        let again = try #require(try core.nextMutations(limit: 9)?.entries.first)
        #expect(again.fields == ["label": "both", "count": ["$increment": 1], "marks": ["$add": ["m"]]])
        #expect(try count(core) == 111)
        // Somebody added 1000 before it arrived.
        let answer = RemoteRecord(
            record: Self.shelf("both", 1011, marks: "[\"m\"]"), version: 7, lastChangedAt: 7)
        try core.settle([MutationResult(order: again.order, outcome: .applied(answer))])
        #expect(try count(core) == 1111)
        #expect(try core.outbox().map(\.fields) == [["count": ["$increment": 100]]])
    }

    @Test("D78: a handler's record takes no amount of others away, and adds none of what waits behind")
    func noOperations() throws {
        let core = try conflicting(operations: [:]) { conflict in
            var record = conflict.local ?? conflict.remote.record
            record["label"] = .text("both")
            return .retry(record)
        }
        #expect(try core.outbox().map(\.fields) == [["label": "both"], ["count": ["$increment": 100]]])
        #expect(try count(core) == 110)
    }

    @Test(
        "D78: a handler that begins with the backend's record says nothing of operations either",
        arguments: [true, false])
    func operationsOverTheirs(isAllTheirs: Bool) throws {
        let core = try conflicting(operations: ["count": .increment(1)]) { conflict in
            var record = conflict.remote.record
            if !isAllTheirs { record["label"] = .text("both") }
            return .retry(record)
        }
        let fields = try #require(try core.outbox().first?.fields)
        #expect(fields == (isAllTheirs ? ["count": ["$increment": 1]] : ["label": "both", "count": ["$increment": 1]]))
        #expect(try count(core) == 111)
    }

    @Test("D78: where the backend's record stands, operations go on")
    func operationsGoOn() throws {
        let conflicts = Locked<[[String]]>([])
        let core = try conflicting { _ in .applyRemote }
        core.onEvent = { event in
            if case .conflict(_, _, let fields) = event { conflicts.withLock { $0.append(fields) } }
        }
        #expect(try core.outbox().map(\.fields) == [["count": ["$increment": 1]], ["count": ["$increment": 100]]])
        #expect(try core.outbox().first?.baseVersion == 5)
        #expect(try core.read { try $0.get(model: "Shelf", id: "s") } == Self.shelf("theirs", 111))
    }

    @Test("D78 C14: a handler that lets the backend's record stand, in whatever words, parks a transaction whole")
    func partOfAUnit() throws {
        for resolution in [ConflictResolution.applyRemote, .retry(Bin(id: "a", place: 9).record)] {
            let core = try memoryCore { $0.conflictHandler = { _ in resolution } }
            for id in ["a", "b"] { try core.applyRemote([remote(Bin(id: id), 1)]) }
            try core.write(as: nil) { tx in
                try tx.sentAsOne {
                    for id in ["a", "b"] { try tx.save(Bin(id: id, place: 5)) }
                }
            }
            let entries = try #require(try core.nextMutations(limit: 9)?.entries)
            try core.settle([
                MutationResult(
                    order: entries[0].order, outcome: .conflict(remote(Bin(id: "a", place: 9), 2))),
                MutationResult(order: entries[1].order, outcome: .transient(reason: "cancelled", delay: 0)),
            ])
            #expect(core.outboxStatus == OutboxStatus(parked: 2))
            #expect(try core.bin("a")?.place == 5 && core.bin("b")?.place == 5)
        }
    }
}
