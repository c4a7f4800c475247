import Basics
import Models
import Testing

@testable import DataStore

private let place: Field<Bin, Int> = Field("place")

@Suite("Conditional changes")
struct ConditionTests {
    private func stored() throws -> StoreCore {
        let core = try memoryCore()
        try core.applyRemote([remote(Bin(id: "b", place: 1), 1)])
        return core
    }

    private func save(_ core: StoreCore, _ place: Int, where condition: Predicate<Bin>) throws {
        try core.write(as: nil) { try $0.save(Bin(id: "b", place: place), where: condition) }
    }

    @Test("D46: a conditional change is never merged, neither into what waits nor what follows into it")
    func apart() throws {
        let core = try stored()
        try core.save(Bin(id: "b", place: 2))
        try save(core, 3, where: place == 2)
        try core.save(Bin(id: "b", place: 4))
        try core.save(Bin(id: "b", place: 5))
        let entries = try core.outbox()
        #expect(entries.map(\.fieldsJSON) == [#"{"place":2}"#, #"{"place":3}"#, #"{"place":5}"#])
        #expect(entries.map(\.condition) == [nil, (place == 2).node, nil])
    }

    @Test("D46 D58: every kind of waiting change × every kind of conditional change", arguments: MutationKind.allCases)
    func matrix(_ waiting: MutationKind) throws {
        let core = try waiting == .create ? memoryCore() : stored()
        switch waiting {
        case .create, .update: try core.save(Bin(id: "b", place: 2))
        case .delete: try core.write(as: nil) { try $0.delete(Bin.self, id: "b") }
        }
        let exists = waiting != .delete
        if exists {
            try save(core, 3, where: place == 2)
            #expect(try core.outbox().map(\.kind) == [waiting, .update])
            try core.write(as: nil) { try $0.delete(Bin(id: "b", place: 3), where: place == 3) }
            let kinds = try core.outbox().map(\.kind)
            #expect(kinds == [waiting, .update, .delete] || (waiting == .create && kinds.isEmpty))
        } else {
            #expect(throws: StoreError.conditionFailed(model: "Bin", id: "b")) { try save(core, 3, where: place == 2) }
            #expect(throws: StoreError.conditionFailed(model: "Bin", id: "b")) {
                try core.write(as: nil) { try $0.delete(Bin(id: "b"), where: place == 1) }
            }
            #expect(try core.outbox().map(\.kind) == [.delete])
        }
    }

    @Test("D5: a conditional create is refused: there is no record of which the condition could hold")
    func create() throws {
        let core = try memoryCore()
        #expect(throws: StoreError.conditionFailed(model: "Bin", id: "b")) { try save(core, 1, where: place == 1) }
        #expect(core.outboxStatus.isEmpty)
    }

    @Test("D26: the parent's delete carries the condition, the children's do not")
    func cascade() throws {
        let core = try memoryCore()
        let code: Field<Zone, String> = Field("code")
        try core.applyRemote([remote(Zone(id: "z"), 1), remote(Bin(id: "b", zoneID: "z"), 1)])
        try core.write(as: nil) { try $0.delete(Zone(id: "z"), where: code == "Z") }
        #expect(try core.outbox().map(\.condition) == [nil, (code == "Z").node])
    }

    @Test("D77 D88: a condition that does not hold at the backend parks the change and tells of it")
    func refused() throws {
        let core = try stored()
        var events: [StoreEvent] = []
        core.onEvent = { events.append($0) }
        try save(core, 2, where: place == 1)
        let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
        #expect(entry.condition == (place == 1).node)
        try core.settle([
            MutationResult(
                order: entry.order, outcome: .refused(code: "ConditionalCheckFailedException", message: "no"))
        ])
        let told = events.contains {
            if case .conditionalSaveFailed(let failed) = $0 { failed.id == "b" } else { false }
        }
        #expect(told)
        #expect(try core.bin("b")?.place == 2, "what the person entered is not taken away")
        #expect(core.outboxStatus.parked == 1)
    }

    @Test("a condition that no backend can check is refused at the save; a local model may have any")
    func untravelling() throws {
        let core = try stored()
        let code: Field<Bin, String> = Field("code")
        #expect(throws: StoreError.self) { try save(core, 2, where: code.containsIgnoringCase("b")) }
        #expect(try core.bin("b")?.place == 1)
        try core.save(Draft(id: "d", text: "Tea"))
        let text: Field<Draft, String> = Field("text")
        try core.write(as: nil) {
            try $0.save(Draft(id: "d", text: "x"), where: text.containsIgnoringCase("TEA"))
        }
        #expect(try core.read { try $0.get(Draft.self, id: "d") }?.text == "x")
    }

    @Test("what the API has no operator or operand for is refused at the save, by name; a null test of an enum is none")
    func unaskable() throws {
        let core = try stored()
        let shape: Field<Bin, String?> = Field("shape")
        let tags: Field<Bin, [String]> = Field("tags")
        let id: Field<Bin, String> = Field("id")
        for condition in [!(shape < "rack"), !(tags == ["a"]), id == "b", !(place == 1 << 31)] {
            let error = try #require(#expect(throws: StoreError.self) { try save(core, 2, where: condition) })
            guard case .invalidQuery(let reason) = error else { return #expect(Bool(false), "\(condition)") }
            #expect(reason.hasPrefix("the backend checks a change's condition too: "))
            #expect(throws: error) { try core.write(as: nil) { try $0.delete(Bin(id: "b"), where: condition) } }
        }
        #expect(core.outboxStatus.isEmpty)
        try save(core, 2, where: shape == nil)
        #expect(core.outboxStatus.queued == 1)
    }

    @Test("every condition comes back from its kept form", arguments: 1...5)
    func kept(_ seed: UInt64) {
        var generator = FilterGenerator(seed: seed)
        for _ in 0..<300 {
            let node = generator.predicate()
            #expect(PredicateNode(json: node.json) == node)
        }
        let related = PredicateNode.not(.related("zone", .field("code", .equal(.real(2)))))
        #expect(PredicateNode(json: related.json) == related)
        #expect(PredicateNode(json: ["field": "x", "is": "nothing", "to": [1]]) == nil)
    }

    @Test("a condition survives export and import")
    func exported() throws {
        let core = try stored()
        try save(core, 2, where: place == 1)
        let lines = try core.read { try $0.exportOutbox() }.lines
        let other = try stored()
        try other.write(as: nil) { _ = try $0.importOutbox(lines) }
        #expect(try other.outbox().first?.condition == (place == 1).node)
    }
}
