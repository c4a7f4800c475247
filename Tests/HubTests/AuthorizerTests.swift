import AppSync
import Basics
import GraphQL
import Models
import Testing

@testable import Hub

/// AppSync's contract for Lambda authorizers, and what its answers mean for rules with `allow: custom`.
@Suite struct AuthorizerTests {
    @Test func anAnswerIsReadAsAppSyncReadsIt() throws {
        let answer = try #require(
            AuthorizerAnswer([
                "isAuthorized": true, "resolverContext": ["team": "red", "level": 3, "isNew": false],
                "deniedFields": [
                    "arn:aws:appsync:us-east-1:111122223333:apis/GraphQLApiId/types/Post/fields/secret",
                    "Mutation.deletePost",
                ], "ttlOverride": 10,
            ]))
        #expect(answer.isAuthorized)
        #expect(answer.context == ["team": "red", "level": 3, "isNew": false])
        #expect(answer.deniedFields == ["Post.secret", "Mutation.deletePost"])
        #expect(answer.lifetime == 10_000)
        #expect(AuthorizerAnswer(["isAuthorized": false])?.isAuthorized == false)
        #expect(AuthorizerAnswer(["isAuthorized": true])?.lifetime == 300_000)
        #expect(AuthorizerAnswer(["isAuthorized": true, "ttlOverride": 0])?.lifetime == 1000)
    }

    @Test(
        "An answer that is not in the contract lets nobody in",
        arguments: [
            nil, [:], ["isAuthorized": "true"], ["isAuthorized": 1],
            ["isAuthorized": true, "resolverContext": ["a": ["b": 1]]],
            ["isAuthorized": true, "deniedFields": ["Post"]],
            ["isAuthorized": true, "deniedFields": ["arn:aws:appsync:x/types/Post"]],
            ["isAuthorized": true, "deniedFields": [7]], ["isAuthorized": true, "ttlOverride": 3601],
            ["isAuthorized": true, "ttlOverride": -1],
        ] as [JSONValue])
    func unreadable(_ json: JSONValue) {
        #expect(AuthorizerAnswer(json) == nil)
    }

    private static let schema = try! Schema(
        sdl: """
            type Post @model @auth(rules: [{ allow: custom }]) { id: ID! text: String secret: String }
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
}
