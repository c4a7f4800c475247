import Basics
import Models
import System
import Testing

@testable import DataStore

/// What comes back into a store that has forgotten the rows which the changes are of.
@Suite("Taking exported changes in")
struct ImportTests {
    /// A store whose change of a record that the backend knows was exported before all was cleared.
    private func cleared() throws -> (core: StoreCore, lines: [String]) {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b", place: 1, note: "theirs"), 4)])
        try core.save(Bin(id: "b", place: 2, note: "theirs"), identity: "ann")
        let lines = try core.read { try $0.exportOutbox() }.lines
        try core.clear(discardingUnsent: true)
        return (core, lines)
    }

    @Test("C8: a change of a record that is not here waits as it did before, on its version and under its name")
    func update() throws {
        let (core, lines) = try cleared()
        #expect(try core.write(as: nil) { try $0.importOutbox(lines) } == 1)
        let entry = try #require(try core.outbox().first)
        #expect(entry.kind == .update && entry.fields == ["place": 2] && entry.base == ["place": 1])
        #expect(entry.baseVersion == 4 && entry.identity == "ann")
        // Twice is once.
        #expect(try core.write(as: nil) { try $0.importOutbox(lines) } == 0)
        #expect(core.outboxStatus.queued == 1)
    }

    @Test("C8: its change shows over the backend's row once that comes, and is sent")
    func shown() throws {
        let (core, lines) = try cleared()
        try core.write(as: nil) { _ = try $0.importOutbox(lines) }
        #expect(try core.bin("b") == nil)
        try core.applyPage(
            model: "Bin", items: [remote(Bin(id: "b", place: 1, note: "theirs"), 4)], mark: SyncMark(model: "Bin"))
        #expect(try core.bin("b") == Bin(id: "b", place: 2, note: "theirs"))
        #expect(try core.sendAll(version: 5) == 1)
        #expect(try core.bin("b")?.place == 2)
        #expect(try core.read { try $0.syncState(model: "Bin", id: "b") } == .synced(version: 5))
    }

    @Test("C8: it may be sent, edited and taken back before the backend's row comes")
    func acts() throws {
        let (core, lines) = try cleared()
        try core.write(as: nil) { _ = try $0.importOutbox(lines) }
        let entry = try #require(try core.outbox().first)
        try core.write(as: nil) { try $0.editOutbox(entry.order, fields: ["place": 3]) }
        // The other store may have sent it: the edit comes after it.
        let orders = try core.outbox().map(\.order)
        #expect(try core.outbox().map(\.fields) == [["place": 2], ["place": 3]])
        for order in orders.reversed() { _ = try core.write(as: nil) { try $0.revertOutbox(order) } }
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.bin("b") == nil)

        try core.write(as: nil) { _ = try $0.importOutbox(lines) }
        let sent = try #require(try core.nextMutations(limit: 1)?.entries.first)
        let answer = remote(Bin(id: "b", place: 2, note: "theirs"), 5)
        try core.settle([MutationResult(order: sent.order, outcome: .applied(answer))])
        #expect(try core.bin("b") == Bin(id: "b", place: 2, note: "theirs"))
        #expect(core.outboxStatus.isEmpty)
    }

    // MARK: What was sent, and what was deleted, since

    @Test("C8: what was confirmed here since it was exported is passed over, whole where it goes as one")
    func confirmed() throws {
        let core = try memoryCore()
        core.setLife(epoch: "e", began: nil)
        try core.applyRemote([remote(Bin(id: "b", place: 1), 1)])
        try core.save(Zone(id: "z"), Bin(id: "b", place: 2))
        try core.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(Zone(id: "one"))
                try tx.save(Zone(id: "two"))
            }
        }
        let lines = try core.read { try $0.exportOutbox() }.lines
        try core.sendAll(version: 2)
        try core.applyRemote([remote(Zone(id: "z"), 3, deleted: true), remote(Zone(id: "one"), 3, deleted: true)])
        #expect(try core.write(as: nil) { try $0.importOutbox(lines) } == 0)
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.read { try $0.query(Zone.self).map(\.id) } == ["two"])
    }

    @Test("C8: a create of a record that was deleted since is left out, and that is said")
    func deletedSince() throws {
        let directory = try TempDirectory()
        let path = directory.file("unsent.jsonl")
        let core = try memoryCore()
        try core.save(Zone(id: "z"), Zone(id: "y"))
        try Files.writeAtomically(try core.read { try $0.exportOutbox() }.lines.joined(separator: "\n"), to: path)
        let other = try memoryCore()
        try other.applyRemote([remote(Zone(id: "z"), 1), remote(Zone(id: "z"), 2, deleted: true)])
        let taken = try other.write(as: nil) { try $0.importOutbox(fromFile: path) }
        #expect(taken.new == 1 && taken.all == 2 && taken.deleted == 1)
        #expect(try other.read { try $0.query(Zone.self).map(\.id) } == ["y"])
    }

    @Test("C8: a transaction that makes a deleted record again goes; answered as of then, the deletion stands")
    func deletedInUnit() throws {
        let core = try memoryCore()
        try core.write(as: nil) { tx in
            try tx.sentAsOne {
                try tx.save(Zone(id: "z"))
                try tx.save(Zone(id: "y"))
            }
        }
        let lines = try core.read { try $0.exportOutbox() }.lines
        // Answered with the record as that mutation left it, with its deletion, or with what was made anew.
        for (version, isDeleted) in [(1, false), (2, true), (3, false)] as [(Int64, Bool)] {
            for isChanged in [false, true] {
                let other = try memoryCore()
                try other.applyRemote([remote(Zone(id: "z"), 2, deleted: true)])
                #expect(try other.write(as: nil) { try $0.importOutbox(lines) } == 2)
                let batch = try #require(try other.nextMutations(limit: 10))
                if isChanged { try other.write(as: nil) { _ = try $0.delete(Zone.self, id: "z") } }
                try other.settle(
                    batch.entries.map { entry in
                        let answer =
                            entry.id == "z"
                            ? remote(Zone(id: "z"), version, deleted: isDeleted) : remote(Zone(id: "y"), 1)
                        return MutationResult(order: entry.order, outcome: .applied(answer))
                    })
                let isThere = version == 3 && !isChanged
                #expect(try other.read { try $0.get(Zone.self, id: "z") != nil } == isThere, "\(version) \(isChanged)")
                #expect(
                    try other.read { try $0.syncState(model: "Zone", id: "z") }
                        == (isThere ? .synced(version: 3) : isChanged ? .queued : .unknown))
                // What is there anew may be changed here again.
                if isThere { try other.save(Zone(id: "z", code: "anew")) }
            }
        }
    }

    // MARK: Files

    @Test("C8: a file is taken in line by line, as long as it may be")
    func file() async throws {
        let directory = try TempDirectory()
        let path = directory.file("unsent.jsonl")
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        try await store.transaction { transaction in
            for number in 0..<2500 { try transaction.save(Zone(id: "z\(number)", code: "\(number)")) }
        }
        try await store.transactionSentAsOne { transaction in
            for number in 0..<3 { try transaction.save(Bin(id: "b\(number)", zoneID: "z\(number)")) }
        }
        #expect(try await store.exportOutbox(to: path) == 2503)
        let other = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions { $0.random = SeededRandom(seed: 3) })
        let taken = try await other.outbox.importFile(path)
        #expect(taken.new == 2503 && taken.all == 2503)
        let last = try #require(try await other.outbox.list(after: 2502).first)
        #expect(try await other.outbox.unit(of: last.order).map(\.id) == ["b0", "b1", "b2"])
        #expect(try await other.outbox.importFile(path).new == 0)
        #expect(try await other.count(Zone.self) == 2500)
    }

    @Test("C8: a change is of the record that its line names, or it is refused", arguments: MutationKind.allCases)
    func otherKey(_ kind: MutationKind) throws {
        let core = try memoryCore()
        if kind != .create { try core.applyRemote([remote(Zone(id: "a"), 1)]) }
        try core.write(as: nil) { tx in
            if kind == .delete {
                _ = try tx.delete(Zone.self, id: "a")
            } else {
                try tx.save(Zone(id: "a", code: "new"))
            }
        }
        let line = try #require(try core.read { try $0.exportOutbox() }.lines.first)
        // In another place than the record's own name, or beside what is changed.
        let wrong =
            kind == .update
            ? [
                line.replacing(#""code":"new""#, with: #""code":"new","id":"b""#),
                line.replacing(#""code":"Z""#, with: #""code":"Z","id":"b""#),
            ]
            : [line.replacing(#""id":"a","kind""#, with: #""id":"b","kind""#)]
        for isHere in [false, true] {
            for wrong in wrong {
                let other = try memoryCore()
                if isHere { try other.applyRemote([remote(Zone(id: "a"), 1), remote(Zone(id: "b"), 1)]) }
                let zones = try other.read { try $0.query(Zone.self).sorted { $0.id < $1.id } }
                if kind != .create || !isHere {
                    #expect(throws: StoreError.self) { try other.write(as: nil) { try $0.importOutbox([wrong]) } }
                }
                #expect(try other.read { try $0.query(Zone.self).sorted { $0.id < $1.id } } == zones)
                #expect(other.outboxStatus.isEmpty)
            }
        }
        #expect(try core.read { try $0.exportOutbox() }.lines == [line])
    }

    @Test("C8: a wrong line of a file is named with the file and the value, and nothing of the file is taken in")
    func wrongFile() throws {
        let directory = try TempDirectory()
        let core = try memoryCore()
        try core.save(Zone(id: "z"), Zone(id: "y"))
        let lines = try core.read { try $0.exportOutbox() }.lines
        let good = lines[1]
        func wrong(_ old: String, _ new: String) throws -> String {
            let (before, after) = (good, good.replacing(old, with: new))
            try #require(before != after)
            return after
        }
        let cases: [(line: String, reason: String)] = [
            ("rubbish", "this is no outbox entry: rubbish"),
            (
                try wrong(#""kind":"create""#, #""kind":"make""#),
                #"kind must be create, update or delete and is "make""#
            ),
            (try wrong(#""model":"Zone""#, #""model":"Hall""#), "the store has no model Hall"),
            (try wrong(#""code":"Z""#, #""code":7"#), "Zone.code: 7 is not a valid String"),
            (
                try wrong(#""condition":null"#, #""condition":{"odd":1}"#),
                #"condition must be a condition and is {"odd":1}"#
            ),
            (try wrong(#""base":{}"#, #""base":[]"#), "base must be an object and is []"),
            (try wrong(#""id":"y","kind""#, #""id":"x","kind""#), "fields must be of Zone x and name another key"),
        ]
        for (number, wrong) in cases.enumerated() {
            let path = directory.file("\(number)")
            // With the line ends of another system, and a line that holds nothing.
            try Files.writeAtomically([lines[0], "", wrong.line].joined(separator: "\r\n"), to: path)
            let other = try memoryCore()
            let error = StoreError.invalidImport(file: path, line: 3, reason: wrong.reason)
            #expect(throws: error) { try other.write(as: nil) { try $0.importOutbox(fromFile: path) } }
            #expect(error.description.contains(path) && error.description.contains("line 3"))
            #expect(other.outboxStatus.isEmpty)
            #expect(try other.read { try $0.count(Zone.self) } == 0)
        }
        let path = directory.file("bytes")
        try Files.createNew(Array("\(lines[0])\n".utf8) + [0xFF, 10], at: path)
        #expect(throws: StoreError.invalidImport(file: path, line: 2, reason: "it is not UTF-8 text")) {
            try core.write(as: nil) { try $0.importOutbox(fromFile: path) }
        }
        let missing = StoreError.unusableFile("cannot open /nowhere/at/all: No such file or directory")
        #expect(throws: missing) { try core.write(as: nil) { try $0.importOutbox(fromFile: "/nowhere/at/all") } }
        #expect(missing.description == "cannot open /nowhere/at/all: No such file or directory")
    }
}
