import Basics
import GraphQL
import Models
import Testing

@testable import Hub

/// Schemas as Amplify's own projects write them, served.
@Suite struct AmplifySchemaTests {
    private func hub(_ sdl: String, _ change: (inout HubLimits) -> Void = { _ in }) throws -> HubFixture {
        var limits = HubLimits()
        change(&limits)
        return try HubFixture(try Schema(sdl: sdl), limits: limits)
    }

    @Test func theGlobalRuleGivesEveryKeyTheModelsWithoutRulesAndNoOthers() throws {
        let hub = try hub(
            """
            input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }
            type Open @model { name: String }
            type Closed @model @auth(rules: [{ allow: groups, groups: ["desk"] }]) { name: String }
            """)
        #expect(hub.send("mutation { createOpen(input: {id: \"a\"}) { id } }", key: "counter").result?["id"] == "a")
        #expect(hub.send("{ listOpens { items { id } } }", key: "audit").result?["items"]?.array?.count == 1)
        #expect(
            hub.send("mutation { createClosed(input: {id: \"a\"}) { id } }", key: "counter").errorType
                == "Unauthorized")
        #expect(hub.send("mutation { createClosed(input: {id: \"a\"}) { id } }", key: "desk").result?["id"] == "a")
        #expect(hub.send("{ listOpens { items { id } } }", key: nil)["data"]?.object == nil)
    }

    @Test func anOwnerFieldThatIsNotDeclaredIsFilledInAndHolds() throws {
        let hub = try hub("type A @model @auth(rules: [{ allow: owner, ownerField: \"author\" }]) { b: Int }")
        let made = hub.send("mutation { createA(input: {id: \"1\"}) { id author } }", person: "ann")
        #expect(made.result == ["id": "1", "author": "ann"])
        #expect(hub.send("{ getA(id: \"1\") { author } }", person: "ann").result == ["author": "ann"])
        #expect(hub.send("{ getA(id: \"1\") { author } }", person: "bob").result == .null)
        let found = hub.send("{ listAS(filter: {author: {eq: \"ann\"}}) { items { id } } }", person: "ann")
        #expect(found.result?["items"] == [["id": "1"]])
    }

    // MARK: @hasOne(references:)

    private static let projects = """
        type Project @model @auth(rules: [{ allow: groups, groups: ["everyone", "writers"] }]) {
          name: String
          team: Team @hasOne(references: ["projectID"])
        }
        type Team @model @auth(rules: [
          { allow: groups, groups: ["everyone"] }
          { allow: groups, groups: ["writers"], operations: [get, create] }
        ]) {
          mantra: String
          projectID: ID
          project: Project @belongsTo(references: ["projectID"])
        }
        """

    @Test func aHasOneByReferenceGivesTheFirstRecordThatNamesIt() throws {
        let hub = try hub(Self.projects)
        hub.send("mutation { createProject(input: {id: \"p\", name: \"one\"}) { id } }")
        let query = "{ getProject(id: \"p\") { name team { id mantra project { name } } } }"
        #expect(hub.send(query).result == ["name": "one", "team": .null])
        for id in ["t", "u"] {
            hub.send("mutation { createTeam(input: {id: \"\(id)\", mantra: \"on\", projectID: \"p\"}) { id } }")
        }
        let team: JSONValue = ["id": "t", "mantra": "on", "project": ["name": "one"]]
        #expect(hub.send(query).result == ["name": "one", "team": team])
        #expect(
            hub.send("{ listProjects { items { team { id } } } }").result?["items"] == [["team": ["id": "t"]]])
        hub.send("mutation { deleteTeam(input: {id: \"t\", _version: 1}) { id } }")
        #expect(hub.send(query).result?["team"]?["id"] == "u")
        hub.send("mutation { deleteTeam(input: {id: \"u\", _version: 1}) { id } }")
        #expect(hub.send(query).result?["team"] == .null)
    }

    @Test func itTakesTheRightToList() throws {
        let hub = try hub(Self.projects)
        hub.send("mutation { createProject(input: {id: \"p\", name: \"one\"}) { id } }")
        hub.send("mutation { createTeam(input: {id: \"t\", projectID: \"p\"}) { id } }")
        let refused = hub.send("{ getProject(id: \"p\") { name team { id } } }", key: "blind")
        #expect(refused.result == ["name": "one", "team": .null])
        #expect(refused.errorMessage == "Not Authorized to access team on type Project")
        #expect(refused["errors"]?[0]?["path"] == ["getProject", "team"])
    }

    @Test func errorsOfItHaveTheirPath() throws {
        let hub = try hub(Self.projects) { $0.resolvers = 2 }
        hub.send("mutation { createProject(input: {id: \"p\", name: \"one\"}) { id } }")
        hub.send("mutation { createTeam(input: {id: \"t\", projectID: \"p\"}) { id } }")
        let json = hub.send("{ getProject(id: \"p\") { team { id project { name } } } }")
        #expect(json.result == ["team": ["id": "t", "project": .null]])
        #expect(json["errors"]?[0]?["path"] == ["getProject", "team", "project"])
    }

    // MARK: @hasMany(limit:)

    @Test func aHasManySaysHowLongItsPagesAre() throws {
        let rule = "@auth(rules: [{ allow: groups, groups: [\"everyone\"] }])"
        let hub = try hub(
            """
            type Post @model \(rule) { likes: [Like] @hasMany(limit: 3) }
            type Like @model \(rule) { at: Int }
            """)
        hub.send("mutation { createPost(input: {id: \"p\"}) { id } }")
        for number in 0..<5 {
            hub.send("mutation { createLike(input: {id: \"\(number)\", postLikesId: \"p\"}) { id } }")
        }
        func count(_ arguments: String) -> Int? {
            hub.send("{ getPost(id: \"p\") { likes\(arguments) { items { id } } } }").result?["likes"]?["items"]?
                .array?.count
        }
        #expect(count("") == 3)
        #expect(count("(limit: 4)") == 4)
    }
}
