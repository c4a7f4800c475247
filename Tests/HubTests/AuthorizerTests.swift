import AppSync
import Basics
import GraphQL
import Models
import SQLite
import System
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
            ["isAuthorized": true, "deniedFields": ["ModelPostConnection.items"]],
            ["isAuthorized": true, "deniedFields": ["arn:aws:appsync:x/types/ModelPostConnection/fields/nextToken"]],
            ["isAuthorized": true, "deniedFields": [7]], ["isAuthorized": true, "ttlOverride": 3601],
            ["isAuthorized": true, "ttlOverride": -1],
        ] as [JSONValue])
    func unreadable(_ json: JSONValue) {
        #expect(AuthorizerAnswer(json) == nil)
    }

    // MARK: Asking it

    /// An authorizer whose function is the test.
    private final class Asked: Sendable {
        let time = ManualTimeSource()
        let calls = Locked<[(payload: JSONValue, isKnown: Bool, completion: @Sendable (FunctionOutcome) -> Void)]>([])
        let authorizer: FunctionAuthorizer
        let authenticator: Authenticator

        init(_ pattern: TextPattern? = nil) {
            authorizer = FunctionAuthorizer(function: "judge", pattern: pattern, time: time, log: .none)
            authenticator = Authenticator(keys: APIKeys(), stored: NoStoredKeys(), validators: [authorizer])
            authorizer.connect { [calls] payload, isKnown, completion in
                calls.withLock { $0.append(((try? JSONValue(parsing: payload)) ?? .null, isKnown, completion)) }
            } onChange: { [authenticator] in
                authenticator.noteChange()
            }
        }

        func answer(_ outcome: FunctionOutcome) {
            let call = calls.withLock { $0.removeFirst() }
            call.completion(outcome)
        }

        func caller(_ token: String) -> Result<Caller, AuthRefusal> {
            authenticator.caller(Credentials(authorization: token), now: time.now().milliseconds)
        }

        /// How many of the requests that waited have gone on.
        func whenReady(
            _ token: String, _ count: Locked<Int>, request: JSONValue = ["query": "{ a }", "variables": ["x": 1]]
        ) {
            authorizer.whenReady(Credentials(authorization: token), request.bytes) { count.withLock { $0 += 1 } }
        }
    }

    @Test func requestsWaitForItsAnswerWhichIsAskedForOnceAndHoldsAsLongAsItSays() throws {
        let asked = Asked()
        let ready = Locked(0)
        asked.whenReady("abc", ready)
        asked.whenReady("abc", ready)
        #expect(ready.current == 0)
        #expect(asked.calls.current.count == 1)
        let payload = asked.calls.current[0].payload
        #expect(payload["authorizationToken"] == "abc")
        #expect(payload["requestContext"]?["queryString"] == "{ a }")
        #expect(payload["requestContext"]?["variables"] == ["x": 1])
        asked.answer(.success(["isAuthorized": true, "resolverContext": ["team": "red"], "ttlOverride": 60]))
        #expect(ready.current == 2)
        let caller = try asked.caller("abc").get()
        #expect(caller.provider == .function && caller.claims["team"] == "red")
        #expect(caller.person == nil && caller.groups.isEmpty)
        asked.time.advance(milliseconds: 59_999)
        asked.whenReady("abc", ready)
        #expect(ready.current == 3)
        asked.time.advance(milliseconds: 1)
        asked.whenReady("abc", ready)
        #expect(ready.current == 3, "it is asked anew")
        asked.answer(.success(["isAuthorized": false]))
        #expect(ready.current == 4)
        #expect(throws: AuthRefusal.self) { try asked.caller("abc").get() }
        #expect(throws: AuthRefusal.self) { try asked.authenticator.refreshed(caller, now: 0).get() }
    }

    @Test func aClockThatIsSetRightProlongsNoVerdict() throws {
        let asked = Asked()
        asked.time.jump(milliseconds: 31_536_000_000)
        asked.whenReady("abc", Locked(0))
        asked.answer(.success(["isAuthorized": true, "ttlOverride": 60]))
        asked.whenReady("away", Locked(0))
        asked.answer(.failure(.timedOut))
        asked.time.jump(milliseconds: -31_536_000_000)
        #expect(try asked.caller("abc").get().provider == .function)
        asked.time.advance(milliseconds: 60_000)
        for token in ["abc", "away"] { asked.whenReady(token, Locked(0)) }
        #expect(asked.calls.current.count == 2, "both are asked for anew")
        asked.answer(.success(["isAuthorized": false]))
        asked.answer(.success(["isAuthorized": true]))
        #expect(throws: AuthRefusal.self) { try asked.caller("abc").get() }
        #expect(try asked.caller("away").get().provider == .function)
        // Nor does one that is set ahead make anybody ask.
        asked.time.jump(milliseconds: 31_536_000_000)
        #expect(try asked.caller("away").get().provider == .function)
        #expect(asked.calls.current.isEmpty)
    }

    @Test(arguments: [
        FunctionOutcome.failure(.timedOut), .failure(.busy), .success(["isAuthorized": "yes"]), .success(nil),
    ])
    func whereItGivesNoAnswerNobodyIsLetInAndItIsAskedAgain(_ outcome: FunctionOutcome) throws {
        let asked = Asked()
        let ready = Locked(0)
        asked.whenReady("abc", ready)
        asked.answer(outcome)
        #expect(ready.current == 1)
        guard case .failure(let refusal) = asked.caller("abc") else {
            Issue.record("it was let in")
            return
        }
        #expect(refusal.reason == .unavailable)
        asked.time.advance(milliseconds: 1000)
        asked.whenReady("abc", ready)
        #expect(asked.calls.current.count == 1)
    }

    @Test func aSocketThatComesFirstIsToldToTryAgainAndFindsTheAnswer() throws {
        let asked = Asked()
        guard case .failure(let refusal) = asked.caller("abc") else {
            Issue.record("it was let in")
            return
        }
        #expect(refusal.reason == .unavailable)
        _ = asked.caller("abc")
        #expect(asked.calls.current.count == 1)
        asked.answer(.success(["isAuthorized": true]))
        #expect(try asked.caller("abc").get().provider == .function)
        let caller = try asked.caller("abc").get()
        asked.time.advance(milliseconds: 300_001)
        #expect(try asked.authenticator.refreshed(caller, now: asked.time.now().milliseconds).get() == caller)
    }

    /// A caller whose token was good and is refused, or stands for less, may have a subscription open by it.
    @Test(
        arguments: [
            (["isAuthorized": false], ["error", "complete", "ka"]),
            (["isAuthorized": true, "deniedFields": ["Subscription.onUpdatePost"]], ["error", "complete", "ka"]),
            (["isAuthorized": true, "deniedFields": ["Post.secret"]], ["complete", "ka"]),
            (["isAuthorized": true, "resolverContext": ["team": "red"]], ["ka"]), (["isAuthorized": true], ["ka"]),
            ([:], ["ka"]),
        ] as [(JSONValue, [String])])
    func whatIsSaidAnewOfATokenHoldsForWhatIsOpen(_ answer: JSONValue, _ frames: [String]) throws {
        let asked = Asked()
        let hub = try TokenFixture(DeniedFieldsTests.schema, authenticator: asked.authenticator)
        asked.whenReady("guest", Locked(0))
        asked.answer(.success(["isAuthorized": true, "ttlOverride": 60]))
        hub.connect(1, "guest")
        hub.start(1, "s", "guest", "subscription { onUpdatePost { id secret } }")
        #expect(hub.take(1).last?["type"] == "start_ack")
        asked.time.advance(milliseconds: 60_000)
        asked.whenReady("guest", Locked(0))
        asked.answer(.success(answer))
        hub.perform(hub.registry.keepAlive())
        #expect(hub.take(1).compactMap { $0["type"]?.string } == frames)
        #expect(hub.registry.subscriptionCount == (frames == ["ka"] ? 1 : 0))
    }

    /// AppSync's `identityValidationExpression`.
    @Test func whatDoesNotLookLikeATokenIsRefusedAndNobodyIsAsked() throws {
        let asked = Asked(try TextPattern("custom-[a-z]+"))
        let ready = Locked(0)
        for token in ["custom-abc1", "x custom-abc", "xcustom-abc", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"] {
            asked.whenReady(token, ready)
            guard case .failure(let refusal) = asked.caller(token) else {
                Issue.record("\(token) was let in")
                continue
            }
            #expect(refusal.status == 401 && refusal.reason == .token)
            #expect(refusal.message == "You are not authorized to make this call.")
        }
        #expect(ready.current == 4 && asked.calls.current.isEmpty)
        asked.whenReady("custom-abc", ready)
        #expect(ready.current == 4 && asked.calls.current.count == 1)
        asked.answer(.success(["isAuthorized": true]))
        #expect(try asked.caller("custom-abc").get().provider == .function)
        #expect(throws: HubError.self) {
            var options = ResolverOptions()
            try options.setAuthorizerPattern("custom-[a-z")
        }
    }

    @Test func tokensThatAreRefusedDriveOutNoneThatIsGood() throws {
        let asked = Asked()
        let ready = Locked(0)
        asked.whenReady("good", ready)
        asked.answer(.success(["isAuthorized": true]))
        let caller = try asked.caller("good").get()
        for number in 0..<2 * AuthorizerVerdicts.limit {
            asked.whenReady("bad-\(number)", ready)
            asked.answer(.success(["isAuthorized": false]))
        }
        #expect(try asked.caller("good").get() == caller)
        #expect(asked.calls.current.isEmpty)
        // What was refused last is remembered too.
        #expect(throws: AuthRefusal.self) { try asked.caller("bad-\(2 * AuthorizerVerdicts.limit - 1)").get() }
        #expect(asked.calls.current.isEmpty)
        // And that a token was taken back, however many others are refused after it.
        asked.time.advance(milliseconds: 300_000)
        asked.whenReady("good", ready)
        asked.answer(.success(["isAuthorized": false]))
        for number in 0..<2 * AuthorizerVerdicts.limit {
            asked.whenReady("bad-\(number)", ready)
            asked.answer(.success(["isAuthorized": false]))
        }
        #expect(throws: AuthRefusal.self) { try asked.authenticator.refreshed(caller, now: 0).get() }
    }

    @Test func strangersTakeNoPlaceFromATokenThatWasGood() throws {
        let asked = Asked()
        let (ready, strangers) = (Locked(0), Locked(0))
        asked.whenReady("good", ready)
        asked.answer(.success(["isAuthorized": true]))
        asked.time.advance(milliseconds: 300_000)
        // As many as may wait, and more, who are told at once that it is busy.
        for number in 0..<1_100 { asked.whenReady("bad-\(number)", strangers) }
        #expect(strangers.current == 100)
        asked.whenReady("good", ready)
        #expect(ready.current == 1, "it waits")
        let call = try #require(asked.calls.current.last)
        #expect(call.payload["authorizationToken"] == "good" && call.isKnown)
        #expect(asked.calls.current.filter(\.isKnown).count == 1)
        // No answer does not make it a stranger's.
        call.completion(.failure(.timedOut))
        #expect(ready.current == 2)
        asked.time.advance(milliseconds: 1_000)
        asked.whenReady("good", ready)
        try #require(asked.calls.current.last).completion(.success(["isAuthorized": true]))
        #expect(try asked.caller("good").get().provider == .function)
    }

    @Test func aLargeRequestIsNotReadForIt() throws {
        let asked = Asked()
        let large: JSONValue = ["query": "{ a }", "variables": ["x": .string(String(repeating: "x", count: 70_000))]]
        asked.whenReady("abc", Locked(0), request: large)
        let context = try #require(asked.calls.current.first).payload["requestContext"]
        #expect(context?["queryString"] == "" && context?["variables"] == [:])
    }

    /// Functions that decide and that are called around mutations are told of such a caller what the authorizer said.
    @Test func otherFunctionsSeeWhatItSaidOfTheCaller() throws {
        let tokens = TestTokens()
        let claims: [String: JSONValue] = ["team": "red", Caller.deniedFieldsClaim: ["Post.secret"]]
        tokens.set(
            "guest", Caller(groups: [], provider: .function, claims: claims, source: .issuer("test", key: nil)))
        var options = ResolverOptions()
        options.functions = [FunctionDefinition(name: "before", target: .program(["before"]))]
        try options.addBefore("Post.create=before")
        let authenticator = Authenticator(keys: APIKeys(), stored: NoStoredKeys(), validators: [tokens])
        let core = try HubCore(
            engine: try HubEngine(DeniedFieldsTests.schema, authenticator), schema: DeniedFieldsTests.schema,
            connection: try .memory(),
            time: ManualTimeSource(), random: SeededRandom(seed: 1), resolvers: options)
        let body: JSONValue = ["query": "mutation { createPost(input: {id: \"p\"}) { id } }"]
        let outcome = core.perform([HubRequest(Credentials(authorization: "guest"), body: body.bytes)])
        let payload = try JSONValue(parsing: try #require(outcome.calls.first).payload)
        #expect(payload["identity"] == ["resolverContext": ["team": "red"]])
    }

    /// Whoever comes with another token each time makes the function be asked each time, and nobody is let in for it.
    @Test(arguments: [FunctionOutcome.failure(.timedOut), .success(["isAuthorized": "yes"])])
    func whoeverMakesTheFunctionFailCannotFillTheLog(_ outcome: FunctionOutcome) {
        let time = ManualTimeSource()
        let lines = Locked<[String]>([])
        let log = Log(level: .debug) { _, line in lines.withLock { $0.append(line) } }
        let authorizer = FunctionAuthorizer(function: "judge", time: time, log: log)
        let authenticator = Authenticator(keys: APIKeys(), stored: NoStoredKeys(), validators: [authorizer])
        authorizer.connect {
            $2(outcome)
        } onChange: {
        }
        for number in 0..<500 {
            authorizer.whenReady(Credentials(authorization: "token-\(number)"), []) {}
            _ = authenticator.caller(
                Credentials(authorization: "other-\(number)"), now: time.now().milliseconds)
        }
        #expect(lines.current.count == LogAllowance.burst)
        #expect(lines.current.allSatisfy { $0.hasPrefix("the authorizer") && !$0.includes("suppressed") })
        time.advance(milliseconds: LogAllowance.refill)
        for number in 500..<510 { authorizer.whenReady(Credentials(authorization: "token-\(number)"), []) {} }
        #expect(lines.current.count == LogAllowance.burst + 1)
        #expect(lines.current.last?.hasSuffix(" suppressed=\(1000 - LogAllowance.burst)") == true)
    }
}
