import AppSync
import Basics
import GraphQL
import Models
import Testing

@testable import Hub

/// Callers whom an authorizer lets in: what custom rules give them, without the fields that it denies.
@Suite struct DeniedFieldsTests {
    static let schema = try! Schema(
        sdl: """
            type Post @model @auth(rules: [{ allow: custom }]) {
              id: ID! text: String secret: String home: Address others: [Address]
            }
            type Address { town: String country: Country }
            type Country { code: String owners: [Address] }
            type Other @model @auth(rules: [{ allow: private }, { allow: public }, { allow: groups, groups: ["staff"] }]) {
              id: ID!
            }
            """)

    private func fixture(_ denied: [String]) throws -> TokenFixture {
        let hub = try TokenFixture(Self.schema)
        hub.admit(
            "guest", .function, person: "ann", groups: ["staff"],
            claims: [Caller.deniedFieldsClaim: .array(denied.map { .string($0) })])
        try hub.plant("Post", ["id": .text("p"), "text": .text("t"), "secret": .text("hidden")])
        return hub
    }

    @Test func whomTheFunctionLetsInMayWhatCustomRulesGiveAndNothingElse() throws {
        let hub = try fixture([])
        #expect(hub.send("guest", "{ getPost(id: \"p\") { secret } }").result?["secret"] == "hidden")
        #expect(hub.send("guest", "{ listOthers { items { id } } }").errorType == ErrorType.unauthorized)
        hub.admit("ann", person: "ann", groups: ["staff"])
        #expect(hub.send("ann", "{ getPost(id: \"p\") { id } }").errorType == ErrorType.unauthorized)
    }

    @Test func aDeniedFieldIsHiddenAndADeniedOperationRefused() throws {
        let hub = try fixture(["Post.secret", "Mutation.deletePost", "Query.syncPosts", "Subscription.onCreatePost"])
        let got = hub.send("guest", "{ getPost(id: \"p\") { text secret } }")
        #expect(got.result == ["text": "t", "secret": nil])
        #expect(got.errorMessage == "Not Authorized to access secret on type Post")
        let probe = hub.send("guest", "{ listPosts(filter: {secret: {eq: \"hidden\"}}) { items { id } } }")
        #expect(probe.result == .null)
        for text in [
            "{ syncPosts { items { id } } }", "mutation { deletePost(input: {id: \"p\", _version: 1}) { id } }",
        ] {
            #expect(hub.send("guest", text).errorType == ErrorType.unauthorized)
        }
        hub.connect(1, "guest")
        hub.start(1, "s", "guest", "subscription { onCreatePost { id } }")
        #expect(hub.take(1).last?["type"] == "error")
        hub.start(1, "t", "guest", "subscription { onUpdatePost { id secret } }")
        let changed = hub.send(
            "guest", "mutation { updatePost(input: {id: \"p\", text: \"u\", _version: 1}) { text secret } }")
        #expect(changed.result == ["text": "u", "secret": nil])
        #expect(hub.take(1).last?["payload"]?["data"]?["onUpdatePost"] == ["id": "p", "secret": nil])
    }

    @Test func whatIsDeniedWithinAnEmbeddedValueHidesAllOfIt() throws {
        let address: JSONValue = ["town": "Ulm", "country": ["code": "4711"]]
        let text = "{ getPost(id: \"p\") { id home { town } others { country { code } } } }"
        for denied in [[], ["Address.town"], ["Country.code"], ["Town.code"]] as [[String]] {
            let hub = try fixture(denied)
            let input: JSONValue = ["id": "q", "home": address, "others": [address]]
            let made = hub.send(
                "guest", "mutation M($i: CreatePostInput!) { createPost(input: $i) { id } }", ["i": input])
            #expect(made.errorType == nil)
            let got = hub.send("guest", text.replacing("\"p\"", with: "\"q\""))
            if denied.isEmpty || denied == ["Town.code"] {
                #expect(got.result?["home"] == ["town": "Ulm"] && got["errors"] == nil)
            } else {
                #expect(got.result == ["id": "q", "home": nil, "others": nil])
                #expect(got.errorMessage == "Not Authorized to access home on type Post")
            }
        }
    }

    @Test(arguments: ["Post._version", "Post._lastChangedAt", "Post.text", "Address.town"])
    func aMutationWhoseAnswerMayNotBeShownIsNotCarriedOut(_ denied: String) throws {
        let hub = try TokenFixture(
            try Schema(
                sdl: """
                    type Post @model @auth(rules: [{ allow: custom }]) { id: ID! text: String! home: Address! }
                    type Address { town: String }
                    """))
        hub.admit(
            "guest", .function, person: "ann", claims: [Caller.deniedFieldsClaim: .array([.string(denied)])])
        let create = "mutation { createPost(input: {id: \"n\", text: \"t\", home: {town: \"Ulm\"}}) { FIELDS } }"
        let refused = hub.send(
            "guest", create.replacing("FIELDS", with: "id text home { town } _version _lastChangedAt"))
        #expect(refused.errorType == ErrorType.unauthorized)
        #expect(hub.events.isEmpty)
        #expect(hub.send("guest", "{ getPost(id: \"n\") { id } }").result == .null)
        #expect(hub.send("guest", create.replacing("FIELDS", with: "id")).result == ["id": "n"])
    }

    @Test func whatEveryRecordHasBesideItsFieldsCanBeDenied() throws {
        let hub = try fixture(["Post._version", "Post._deleted", "Post._lastChangedAt"])
        #expect(hub.send("guest", "{ getPost(id: \"p\") { id text } }").result == ["id": "p", "text": "t"])
        let page = hub.send("guest", "{ syncPosts { items { id _deleted } } }")
        #expect(page.result?["items"] == [["id": "p", "_deleted": nil]])
        #expect(page.errorMessage == "Not Authorized to access _deleted on type Post")
        for field in ["_version", "_lastChangedAt"] {
            let got = hub.send("guest", "{ getPost(id: \"p\") { id \(field) } }")
            #expect(got.result == .null, "it may not be null")
            #expect(got.errorMessage == "Not Authorized to access \(field) on type Post")
            let changed = hub.send("guest", "mutation { createPost(input: {}) { id \(field) } }")
            #expect(changed.errorMessage == "Not Authorized to access \(field) on type Post")
        }
        hub.connect(1, "guest")
        hub.start(1, "s", "guest", "subscription { onUpdatePost { id v: _version } }")
        _ = hub.take(1)
        hub.send("guest", "mutation { updatePost(input: {id: \"p\", text: \"u\", _version: 1}) { id } }")
        #expect(hub.take(1).last?["payload"]?["data"]?["onUpdatePost"] == .null)
    }
}
