import Basics
import Models
import Testing

@testable import DataStore

/// A relation that one side declares makes one record depend on another all the same.
@Suite("Relations that one side declares")
struct OneSidedRelationTests {
    /// How a record comes to name another, and in which field.
    enum Form: String, CaseIterable {
        case hasMany, hasOne, ownHasOne
    }

    /// A `Post` and a `Comment` that names it, or (an own `@hasOne`) an `Album` that names its cover.
    private func core(_ form: Form, _ change: (inout StoreOptions) -> Void = { _ in }) throws -> StoreCore {
        let isOwn = form == .ownHasOne
        let parent = ModelSchema(
            "Parent", pluralName: "Parents", fields: [FieldSchema("id", .scalar(.id), isRequired: true)],
            relations: isOwn
                ? []
                : [
                    RelationSchema(
                        "children", form == .hasMany ? .hasMany : .hasOne, target: "Child", fields: ["key"],
                        isKeyInTarget: true)
                ])
        let child = ModelSchema(
            "Child", pluralName: "Children",
            fields: [
                FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("key", .scalar(.id)),
                FieldSchema("text", .scalar(.string)),
            ],
            relations: isOwn ? [RelationSchema("parent", .hasOne, target: "Parent", fields: ["key"])] : [])
        // The one that refers first, so that the order of the models is not the schema's.
        return try StoreCore(schema: Schema(models: [child, parent]), at: .memory, options: testOptions(change))
    }

    private func parent(_ core: StoreCore, _ id: String = "p") throws -> Record {
        Record(schema: try #require(core.schema.model("Parent")), values: [.text(id)])
    }

    private func child(_ core: StoreCore, _ id: String = "c", key: String? = "p", text: String? = nil) throws -> Record
    {
        Record(
            schema: try #require(core.schema.model("Child")),
            values: [.text(id), key.map { .text($0) } ?? .null, text.map { .text($0) } ?? .null])
    }

    private func save(_ core: StoreCore, _ records: Record...) throws {
        try core.write(as: nil) { tx in for record in records { try tx.save(record) } }
    }

    @Test(
        "D27 D30: a record that names one which is not here is refused, and counted where it came so",
        arguments: Form.allCases)
    func orphans(_ form: Form) throws {
        let core = try core(form)
        #expect(core.schema.modelsInDependencyOrder.map(\.name) == ["Parent", "Child"])
        let missing = StoreError.missingParent(model: "Child", id: "c", field: "key", parent: "Parent", parentID: "p")
        #expect(throws: missing) { try save(core, try child(core)) }
        let rows = try [child(core), child(core, "free", key: nil)].map {
            RemoteRecord(record: $0, version: 1, lastChangedAt: 1000)
        }
        try core.applyPage(model: "Child", items: rows, mark: nil)
        #expect(try core.read { try $0.orphanCount(model: "Child") } == 1)
        #expect(try core.read { try $0.explain(model: "Child", id: "c") }.missingParents == ["Parent p"])
        try save(core, try parent(core))
        #expect(try core.read { try $0.orphanCount(model: "Child") } == 0)
    }

    @Test(
        "C4: what refers to a refused record waits for it, and it is not taken back from under that",
        arguments: Form.allCases)
    func held(_ form: Form) throws {
        let core = try core(form)
        try save(core, try parent(core), try child(core))
        let batch = try #require(try core.nextMutations(limit: 10))
        let (first, second) = (batch.entries[0].order, batch.entries[1].order)
        #expect(batch.needs == [second: [first]])
        try core.settle([
            MutationResult(order: first, outcome: .refused(code: "Unauthorized", message: "no")),
            MutationResult(order: second, outcome: .transient(reason: "needs it", delay: 0)),
        ])
        #expect(try core.nextMutations(limit: 10) == nil)
        #expect(try core.read { try $0.dependants(of: first) }.map(\.id) == ["c"])
        #expect(try core.read { try $0.explain(model: "Child", id: "c") }.heldBy?.order == first)
        let error = #expect(throws: StoreError.self) { try core.write(as: nil) { _ = try $0.revertOutbox(first) } }
        #expect(error?.description.contains("Child c belongs to its record") == true)
        try core.write(as: nil) { tx in
            for order in [second, first] { _ = try tx.revertOutbox(order) }
        }
        #expect(core.outboxStatus.isEmpty)
        #expect(try core.read { try $0.count(model: "Parent") + $0.count(model: "Child") } == 0)
    }

    @Test("D29: a record that is moved under one made after it goes after that", arguments: Form.allCases)
    func moved(_ form: Form) throws {
        let core = try core(form)
        try save(core, try child(core, key: nil), try parent(core), try child(core))
        #expect(try core.outbox().map(\.kind) == [.create, .create, .update])
        #expect(try core.nextMutations(limit: 10, joinsParents: false)?.entries.map(\.id) == ["c", "p"])
    }

    @Test("D29: of two that name each other, the one that belongs depends on the other alone")
    func both() throws {
        let project = ModelSchema(
            "Project", pluralName: "Projects",
            fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("projectTeamId", .scalar(.id))],
            relations: [RelationSchema("team", .hasOne, target: "Team", fields: ["projectTeamId"])])
        let team = ModelSchema(
            "Team", pluralName: "Teams",
            fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("teamProjectId", .scalar(.id))],
            relations: [RelationSchema("project", .belongsTo, target: "Project", fields: ["teamProjectId"])])
        let core = try StoreCore(schema: Schema(models: [team, project]), at: .memory, options: testOptions())
        try save(
            core, Record(schema: project, values: [.text("p"), .text("t")]),
            Record(schema: team, values: [.text("t"), .text("p")]))
        let orders = try core.outbox().map(\.order)
        #expect(try core.read { try $0.dependants(of: orders[0]) }.map(\.id) == ["t"])
        #expect(try core.read { try $0.dependants(of: orders[1]) }.isEmpty)
        try core.write(as: nil) { tx in
            for order in orders.reversed() { _ = try tx.revertOutbox(order) }
        }
        #expect(core.outboxStatus.isEmpty)
    }
}
