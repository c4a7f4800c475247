import AppSync
import Basics
import GraphQL
import Models
import Testing

@testable import Hub

/// Rights that end or change while subscriptions are open, and what the log says of decisions.
@Suite struct WithdrawnRightsTests {
    private static let schema = try! Schema(
        sdl: """
            type Post @model @auth(rules: [
              { allow: groups, groups: ["staff"] }
              { allow: owner, operations: [read] }
            ]) { id: ID! owner: String text: String }
            """)

    private func subscribed() throws -> TokenFixture {
        let hub = try TokenFixture(Self.schema)
        for (number, person) in ["ann", "bob"].enumerated() {
            hub.admit(person, person: person, groups: ["staff"])
            hub.connect(UInt64(number), person)
            hub.start(UInt64(number), "s", person, "subscription { onCreatePost { id } }")
            _ = hub.take(UInt64(number))
        }
        hub.admit("writer", groups: ["staff"])
        return hub
    }

    private func post(_ hub: TokenFixture, _ id: String) {
        _ = hub.send("writer", "mutation { createPost(input: {id: \"\(id)\", owner: \"bob\"}) { id } }")
    }

    private func types(_ hub: TokenFixture, _ connection: UInt64) -> [String] {
        hub.take(connection).compactMap { $0["type"]?.string }
    }

    @Test func whoIsShutOutHearsUnauthorizedAndComplete() throws {
        let hub = try subscribed()
        hub.tokens.set("ann", nil)
        post(hub, "1")
        #expect(types(hub, 0) == ["data"], "nobody has said that anything changed")
        hub.authenticator.noteChange()
        post(hub, "2")
        let frames = hub.take(0)
        #expect(frames.compactMap { $0["type"]?.string } == ["error", "complete"], "and nothing of the change itself")
        #expect(frames[0]["payload"]?["errors"]?[0]?["errorType"]?.string == ErrorType.unauthorizedException)
        #expect(types(hub, 1) == ["data", "data"])
        post(hub, "3")
        #expect(types(hub, 0).isEmpty)
        #expect(hub.registry.subscriptionCount == 1)
    }

    @Test func whoLosesTheRightToTheModelHearsUnauthorizedAndComplete() throws {
        let hub = try subscribed()
        hub.start(0, "t", "ann", "subscription { onDeletePost { id } }")
        _ = hub.take(0)
        hub.tokens.set(
            "ann",
            Caller(groups: [], person: nil, provider: .userPools, source: .issuer("test", key: nil), fingerprint: "ann")
        )
        hub.authenticator.noteChange()
        hub.perform(hub.registry.keepAlive())
        let frames = hub.take(0)
        #expect(frames.compactMap { $0["type"]?.string } == ["error", "complete", "error", "complete", "ka"])
        #expect(
            frames[0]["payload"]?["errors"]?[0]?["message"]?.string
                == "Not Authorized to access onCreatePost on type Subscription")
    }

    @Test func whoseRightIsAnotherNowStartsAgainUnderIt() throws {
        let hub = try subscribed()
        hub.admit("ann", person: "ann", groups: ["guests"])
        hub.authenticator.noteChange()
        post(hub, "1")
        #expect(types(hub, 0) == ["complete"])
        hub.start(0, "s", "ann", "subscription { onCreatePost { id } }")
        post(hub, "2")
        #expect(types(hub, 0) == ["start_ack"], "the post is Bob's")
    }

    @Test func aChangeThatLeavesTheRightsAloneDisturbsNobody() throws {
        let hub = try subscribed()
        hub.admit("ann", person: "ann", groups: ["staff", "choir"])
        hub.authenticator.noteChange()
        post(hub, "1")
        #expect(types(hub, 0) == ["data"])
    }

    @Test func credentialsThatRunOutEndTheirSubscriptions() throws {
        let hub = try TokenFixture(Self.schema)
        hub.admit("writer", groups: ["staff"])
        let end = hub.time.now().milliseconds + 60_000
        hub.admit("ann", person: "ann", groups: ["staff"], expires: end)
        hub.connect(0, "ann")
        hub.start(0, "s", "ann", "subscription { onCreatePost { id } }")
        _ = hub.take(0)
        hub.time.advance(milliseconds: 59_999)
        post(hub, "1")
        #expect(types(hub, 0) == ["data"])
        hub.time.advance(milliseconds: 1)
        post(hub, "2")
        #expect(types(hub, 0) == ["error", "complete"])
    }

    @Test func aSyncSaysWhetherTheRightsAreAsBefore() throws {
        let hub = try subscribed()
        func rights(_ token: String) -> String? {
            hub.send(token, "{ syncPosts { startedAt } }")["extensions"]?["bincount"]?["rights"]?["syncPosts"]?.string
        }
        let staff = rights("ann")
        #expect(staff != nil && staff == rights("bob"))
        hub.admit("ann", person: "ann", groups: ["staff", "choir"])
        #expect(rights("ann") == staff)
        hub.admit("ann", person: "ann", groups: ["choir"])
        let own = rights("ann")
        #expect(own != staff)
        hub.admit("bob", person: "bob")
        #expect(rights("bob") != own)
    }

    // MARK: What waits for a function

    private func waiting() throws -> (hub: FunctionHub, tickets: [UInt64]) {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let request = FunctionHub.update("Note", ["id": "1", "title": "mine", "_version": 1], ids: ["m": "u"])
        // The second waits with the first, whose mutation id it has.
        return (hub, [try hub.wait(request), try hub.wait(request)])
    }

    private static let resolve: JSONValue = ["action": "RESOLVE", "item": ["title": "both"]]

    @Test func aMutationThatWaitedIsNotCarriedOutUnderAKeyThatIsGone() throws {
        let (hub, tickets) = try waiting()
        let events = hub.events.count
        hub.core.engine.authenticator.replace(keys: try APIKeys(["other:everyone"]))
        try hub.answer(Self.resolve)
        for ticket in tickets {
            #expect(hub.statuses[ticket] == 401)
            #expect(hub.finished[ticket]?.errorType == ErrorType.unauthorizedException)
        }
        #expect(hub.events.count == events && hub.calls.isEmpty)
        let stored = try hub.send(FunctionHub.request("{ getNote(id: \"1\") { title } }", key: "other"))
        #expect(stored.result == ["title": "theirs"])
    }

    @Test func whoHadJoinedAMutationThatIsRefusedGoesOnThoughHeIsReadyInTheSameTurn() throws {
        let hub = try FunctionHub()
        hub.core.engine.authenticator.replace(keys: try APIKeys(["all:everyone", "gone:everyone"]))
        try hub.prepare("Note")
        _ = try hub.send(FunctionHub.create("Note", ["id": "2", "title": "first"]))
        _ = try hub.send(FunctionHub.update("Note", ["id": "2", "title": "theirs", "_version": 1]))
        let several = try hub.wait(
            FunctionHub.request(
                """
                mutation {
                  own: updateNote(input: {id: "1", title: "own", _version: 1}) { title }
                  again: updateNote(input: {id: "1", title: "mine", _version: 1}) { title }
                  other: updateNote(input: {id: "2", title: "mine", _version: 1}) { title }
                }
                """, ids: ["own": "u-1", "again": "u-2", "other": "u-3"]))
        #expect(hub.calls.count == 2, "changes of one record wait for one another")
        let refused = try hub.wait(
            FunctionHub.request(
                "mutation { m: updateNote(input: {id: \"1\", title: \"mine\", _version: 1}) { title } }",
                ids: ["m": "u-2"], key: "gone"))
        try hub.answer(Self.resolve)
        #expect(hub.calls.count == 2, "what comes next in the earlier request has joined the later one")
        hub.core.engine.authenticator.replace(keys: try APIKeys(["all:everyone"]))
        hub.answerAll(Self.resolve)
        #expect(hub.statuses[refused] == 401)
        #expect(hub.calls.count == 1, "it asks by itself now")
        hub.answerAll(Self.resolve)
        let json = try #require(hub.finished[several])
        #expect(json["errors"] == nil && json["data"]?["again"] == ["title": "both"])
        #expect(hub.core.room.isEmpty && hub.core.suspended.isEmpty)
    }

    @Test func whatWasCarriedOutBeforeTheKeyWasGoneIsNotAnsweredAsUntouched() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let ticket = try hub.wait(
            FunctionHub.request(
                """
                mutation {
                  kept: createNote(input: {id: "9", title: "kept"}) { title }
                  waits: updateNote(input: {id: "1", title: "mine", _version: 1}) { title }
                }
                """, ids: ["kept": "u-1", "waits": "u-2"]))
        hub.core.engine.authenticator.replace(keys: try APIKeys(["other:everyone"]))
        try hub.answer(Self.resolve)
        #expect(hub.statuses[ticket] == 503)
        let stored = try hub.send(FunctionHub.request("{ getNote(id: \"9\") { title } }", key: "other"))
        #expect(stored.result == ["title": "kept"])
    }

    @Test func aMutationThatWaitedGoesOnUnderTheRightsOfNow() throws {
        let (hub, tickets) = try waiting()
        let events = hub.events.count
        hub.core.engine.authenticator.replace(keys: try APIKeys(["all:guests"]))
        try hub.answer(Self.resolve)
        for ticket in tickets { #expect(hub.finished[ticket]?.errorType == ErrorType.unauthorized) }
        #expect(hub.events.count == events)
    }

    // MARK: The log

    private func logged(_ hub: TokenFixture) -> [String] { hub.lines.current.filter { $0.hasPrefix("access") } }

    @Test func everyRefusalIsLoggedWithWhoWhatAndWhy() throws {
        let hub = try TokenFixture(Self.schema)
        hub.admit("eve-token", person: "eve \"x\"\nreason=none", device: "T9")
        let caller = Caller(
            groups: [], person: nil, device: "T9", provider: .oidc, source: .issuer("test", key: nil),
            fingerprint: "ab12")
        hub.tokens.set("stranger", caller)
        _ = hub.send("stranger", "{ listPosts { items { id } } }")
        _ = hub.send("stranger", "mutation { createPost(input: {id: \"secret-id\", text: \"secret\"}) { id } }")
        hub.connect(1, "stranger")
        hub.start(1, "s", "stranger", "subscription { onDeletePost { id } }")
        _ = hub.send("eve-token", "mutation { deletePost(input: {id: \"x\", _version: 1}) { id } }")
        #expect(
            logged(hub) == [
                "access refused operation=listPosts model=Post provider=oidc device=T9 key=ab12 reason=\"no rule gives list\"",
                "access refused operation=createPost model=Post provider=oidc device=T9 key=ab12 reason=\"no rule gives create\"",
                "access refused operation=onDeletePost model=Post provider=oidc device=T9 key=ab12 reason=\"no rule gives listen\"",
                #"access refused operation=deletePost model=Post provider=userPools person="eve \"x\"?reason=none" device=T9 key=eve-token reason="no rule gives delete""#,
            ])
        #expect(!hub.lines.current.joined().contains("secret"))
    }

    @Test func fieldsAndRelationsThatAreDeniedAreLoggedOnceARequest() throws {
        let hub = try TokenFixture(
            try Schema(
                sdl: """
                    type Post @model @auth(rules: [{ allow: private }]) {
                      id: ID!
                      secret: String @auth(rules: [{ allow: groups, groups: ["staff"] }])
                      draftID: ID
                      draft: Draft @belongsTo(fields: ["draftID"])
                      notes: [Note] @hasMany(indexName: "byPost", fields: ["id"])
                    }
                    type Draft @model @auth(rules: [{ allow: groups, groups: ["staff"] }]) { id: ID! }
                    type Note @model @auth(rules: [{ allow: private }]) {
                      id: ID!
                      postID: ID @index(name: "byPost")
                      hidden: String @auth(rules: [{ allow: groups, groups: ["staff"] }])
                    }
                    """))
        hub.admit("ann", person: "ann")
        for id in ["1", "2"] {
            try hub.plant("Post", ["id": .text(id), "secret": .text("confidential"), "draftID": .text("d")])
        }
        let text = "{ a: listPosts { items { secret draft { id } } } b: listPosts { items { secret } } }"
        #expect(hub.send("ann", text)["errors"]?.array?.count == 6)
        let who = "provider=userPools person=ann key=ann reason=\"no rule gives the field for"
        #expect(
            logged(hub) == [
                "access refused operation=listPosts model=Post field=draft \(who) list\"",
                "access refused operation=listPosts model=Post field=secret \(who) list\"",
            ])
        hub.lines.withLock { $0.removeAll() }
        // What a relation's filter names, what is asked for alone, and what a mutation's answer selects.
        let filtered = "{ getPost(id: \"1\") { secret notes(filter: {hidden: {eq: \"x\"}}) { items { id } } } }"
        #expect(hub.send("ann", filtered)["errors"]?.array?.count == 2)
        _ = hub.send("ann", "mutation { updatePost(input: {id: \"1\", draftID: \"e\", _version: 1}) { secret } }")
        #expect(
            logged(hub).filter { !$0.includes("granted") } == [
                "access refused operation=getPost model=Note field=hidden \(who) get\"",
                "access refused operation=getPost model=Post field=secret \(who) get\"",
                "access refused operation=updatePost model=Post field=secret \(who) update\"",
            ])
        #expect(!hub.lines.current.joined().contains("confidential"))
    }

    @Test func whatEventsHideIsLoggedOnceAConnection() throws {
        let hub = try TokenFixture(
            try Schema(
                sdl: """
                    type Post @model @auth(rules: [{ allow: private }]) {
                      id: ID!
                      secret: String @auth(rules: [{ allow: groups, groups: ["staff"] }])
                      draftID: ID
                      draft: Draft @belongsTo(fields: ["draftID"])
                    }
                    type Draft @model @auth(rules: [{ allow: groups, groups: ["staff"] }]) { id: ID! }
                    """))
        hub.admit("writer", groups: ["staff"])
        for (number, person) in ["ann", "bob"].enumerated() {
            hub.admit(person, person: person, groups: person == "bob" ? ["staff"] : [])
            hub.connect(UInt64(number), person)
            hub.start(UInt64(number), "s", person, "subscription { onCreatePost { id secret } }")
            hub.start(UInt64(number), "t", person, "subscription { onCreatePost { id draft { id } } }")
            _ = hub.take(UInt64(number))
        }
        for id in ["1", "2"] {
            _ = hub.send(
                "writer",
                "mutation { createPost(input: {id: \"\(id)\", secret: \"confidential\", draftID: \"d\"}) { id } }")
        }
        #expect(hub.take(0).count == 4 && hub.take(1).count == 4)
        let who = "provider=userPools person=ann key=ann reason=\"no rule gives the field for listen\""
        #expect(
            logged(hub).filter { !$0.includes("granted") }.sorted() == [
                "access refused operation=onCreatePost model=Post field=draft \(who)",
                "access refused operation=onCreatePost model=Post field=secret \(who)",
            ])
    }

    @Test func aMutationThatWasLetThroughIsLoggedForDebugging() throws {
        let hub = try TokenFixture(Self.schema)
        hub.admit("writer", groups: ["staff"])
        post(hub, "1")
        #expect(logged(hub) == ["access granted operation=createPost model=Post provider=userPools key=writer"])
        let quiet = try TokenFixture(Self.schema, level: .info)
        quiet.admit("writer", groups: ["staff"])
        post(quiet, "1")
        #expect(logged(quiet).isEmpty)
    }

    @Test func aStrangerCannotFillTheLog() throws {
        let hub = try TokenFixture(Self.schema)
        hub.admit("eve")
        for _ in 0..<500 { _ = hub.send("eve", "{ listPosts { items { id } } }") }
        #expect(logged(hub).count == AccessLog.burst)
        hub.time.advance(milliseconds: AccessLog.refill)
        _ = hub.send("eve", "{ listPosts { items { id } } }")
        #expect(logged(hub).count == AccessLog.burst + 1)
        #expect(logged(hub).last?.hasSuffix("suppressed=\(500 - AccessLog.burst)") == true)
        for number in 0..<3 * AccessLog.callerLimit {
            hub.admit("e\(number)")
            _ = hub.send("e\(number)", "{ listPosts { items { id } } }")
        }
        #expect(logged(hub).count <= 2 * AccessLog.burst + AccessLog.callerLimit + 1, "the rest share one allowance")
    }
}
