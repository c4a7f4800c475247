import Basics
import Models
import Testing

@testable import DataStore

/// A `@hasOne(references:)`: the other record holds the key.
@Suite("A has-one whose key the other record holds")
struct HasOneTests {
    private func core() throws -> StoreCore {
        let project = ModelSchema(
            "Project", pluralName: "Projects", fields: [FieldSchema("id", .scalar(.id), isRequired: true)],
            relations: [
                RelationSchema("team", .hasOne, target: "Team", fields: ["projectID"], isKeyInTarget: true)
            ])
        let team = ModelSchema(
            "Team", pluralName: "Teams",
            fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("projectID", .scalar(.id))],
            relations: [RelationSchema("project", .belongsTo, target: "Project", fields: ["projectID"])])
        let core = try StoreCore(schema: Schema(models: [project, team]), at: .memory, options: testOptions())
        try core.write(as: nil) { tx in
            for id in ["p", "q"] { try tx.save(Record(schema: project, values: [.text(id)])) }
            try tx.save(Record(schema: team, values: [.text("t"), .text("p")]))
        }
        return core
    }

    @Test("leads to the record that names it, and nowhere without one")
    func leads() throws {
        let core = try core()
        try core.read { tx in
            let project = try #require(try tx.get(model: "Project", id: "p"))
            #expect(try tx.related(project, toOne: "team")?.id == "t")
            let other = try #require(try tx.get(model: "Project", id: "q"))
            #expect(try tx.related(other, toOne: "team") == nil)
            let found = try tx.query(model: "Project", where: .related("team", .field("id", .equal(.text("t")))))
            #expect(found.map(\.id) == ["p"])
        }
    }

    @Test("and is deleted with the record that it names")
    func deletes() throws {
        let core = try core()
        try core.write(as: nil) { tx in _ = try tx.delete(model: "Project", id: "p") }
        let (team, other) = try core.read {
            (try $0.get(model: "Team", id: "t"), try $0.get(model: "Project", id: "q"))
        }
        #expect(team == nil)
        #expect(other != nil)
    }
}
