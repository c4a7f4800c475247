import Basics
import Crypto
import System
import Testing
import Transport

@testable import Hub

/// Tokens of an OpenID Connect issuer: a machine, a validator, and a real issuer on loopback.
@Suite struct IssuerTests {
    static let url = "http://127.0.0.1:1/realm"

    /// What a test's issuer was asked for, and what it answers.
    private final class Source: Sendable {
        let asked = Locked(0)
        let pending = Locked<[@Sendable (Result<[UInt8], IssuerFailure>) -> Void]>([])

        func fetch(_ completion: @escaping @Sendable (Result<[UInt8], IssuerFailure>) -> Void) {
            asked.withLock { $0 += 1 }
            pending.withLock { $0.append(completion) }
        }

        func answer(_ result: Result<[UInt8], IssuerFailure>) {
            let waiting = pending.withLock { pending in
                defer { pending = [] }
                return pending
            }
            for completion in waiting { completion(result) }
        }
    }

    private let time = ManualTimeSource()
    private let source = Source()
    private let validator: IssuerValidator

    init() throws {
        var options = try IssuerOptions(url: Self.url, audiences: ["bincount"])
        options.groupsClaim = "realm_access.roles"
        validator = IssuerValidator(options, time: time, log: .none)
    }

    private func connect() {
        validator.connect { [source] in
            source.fetch($0)
        } onChange: { _ in
        }
    }

    private func claims(_ change: (inout JSONObject) -> Void = { _ in }) -> JSONObject {
        let now = time.now().milliseconds / 1000
        var claims: JSONObject = [
            "iss": .string(Self.url), "aud": "bincount", "sub": "u-1", "exp": .integer(now + 600), "iat": .integer(now),
            "realm_access": ["roles": ["supervisors", "other"]], "email": "ann@example.com",
        ]
        change(&claims)
        return claims
    }

    private func verdict(_ text: String) -> TokenVerdict {
        let parsed = Result { () throws(JSONWebToken.Malformed) in try JSONWebToken(parsing: text) }
        return validator.validate(
            PresentedToken(text: text, fingerprint: "f", parsed: parsed), now: time.now().milliseconds)
    }

    private func reason(_ text: String) -> AuthRefusal.Reason? {
        if case .refused(let refusal) = verdict(text) { refusal.reason } else { nil }
    }

    @Test func aTokenGivesPersonGroupsClaimsAndEnd() throws {
        connect()
        source.answer(.success(IssuerKey.set([.rsa, .p256])))
        for key in [IssuerKey.rsa, .p256] {
            guard case .caller(let caller) = verdict(key.token(claims())) else {
                Issue.record("refused: \(verdict(key.token(claims())))")
                continue
            }
            #expect(caller.person == "u-1")
            #expect(caller.provider == .oidc)
            #expect(caller.groups == ["supervisors", "other"])
            #expect(caller.claims["email"] == "ann@example.com")
            #expect(caller.expires == time.now().milliseconds / 1000 * 1000 + 660_000)
        }
    }

    /// The groups of a caller whom a validator with these settings lets in: his own, and those of a rule with a claim.
    private func groups(_ settings: IssuerGroups, claim: String) throws -> (own: Set<String>, claimed: Set<String>) {
        var options = try IssuerOptions(url: Self.url, audiences: ["bincount"])
        options.groups = settings
        let validator = IssuerValidator(options, time: time, log: .none)
        validator.connect {
            $0(.success(IssuerKey.set([.rsa])))
        } onChange: { _ in
        }
        let text = IssuerKey.rsa.token(
            claims {
                $0["groups"] = ["admins", "counters", "guests"]
                $0["dept"] = "admins"
            })
        let parsed = Result { () throws(JSONWebToken.Malformed) in try JSONWebToken(parsing: text) }
        let token = PresentedToken(text: text, fingerprint: "f", parsed: parsed)
        let verdict = validator.validate(token, now: time.now().milliseconds)
        guard case .caller(let caller) = verdict else { throw HubError("it is refused") }
        #expect(caller.at("T1").groups(claim: claim) == caller.groups(claim: claim))
        #expect(caller.moved(to: caller.groups) == caller)
        return (caller.groups, caller.groups(claim: claim))
    }

    @Test func itsGroupsAreThoseThatItMayNameUnderTheNamesThatTheHubGivesThem() throws {
        let free = try groups(IssuerGroups(), claim: "dept")
        #expect(free == (["admins", "counters", "guests"], ["admins"]))
        let prefixed = try groups(IssuerGroups(prefix: "idp-"), claim: "dept")
        #expect(prefixed == (["idp-admins", "idp-counters", "idp-guests"], ["idp-admins"]))
        let limited = try groups(IssuerGroups(allowed: ["counters"]), claim: "dept")
        #expect(limited == (["counters"], []))
        let both = try groups(IssuerGroups(allowed: ["counters", "admins"], prefix: "idp-"), claim: "dept")
        #expect(both == (["idp-admins", "idp-counters"], ["idp-admins"]))
        #expect(IssuerGroups(prefix: "idp-").all == nil)
        #expect(IssuerGroups(allowed: ["admins"], prefix: "idp-").all == ["idp-admins"])
    }

    @Test func whatIsNotItsTokenIsRefusedOrLeftToOthers() throws {
        connect()
        source.answer(.success(IssuerKey.set([.rsa, .p256])))
        let rsa = IssuerKey.rsa
        #expect(verdict(rsa.token(claims { $0["iss"] = "http://elsewhere" })) == .notMine)
        #expect(verdict("junk") == .notMine)
        #expect(reason(rsa.token(claims { $0["aud"] = "another" })) == .token)
        #expect(reason(rsa.token(claims { $0["exp"] = .integer(1_700_000_000) })) == .expired)
        #expect(reason(rsa.token(claims { $0["sub"] = nil })) == .token)
        #expect(reason(rsa.token(claims { $0["sub"] = "" })) == .token)
        #expect(reason(rsa.token(claims(), header: ["alg": "none"])) == .token)
        // HS256, with the published key as its secret.
        #expect(reason(JSONWebToken.make(claims(), secret: IssuerKey.set([.rsa]))) == .token)
        // The name of one key, the signature of another.
        #expect(reason(IssuerKey.p256.token(claims(), header: ["kid": "rsa-1"])) == .token)
        let stranger = IssuerKey(.p256, id: "ec-1")
        #expect(reason(stranger.token(claims())) == .token)
        // Without a name all its keys are tried.
        if case .caller = verdict(rsa.token(claims(), header: ["kid": .null])) {} else { Issue.record("refused") }
    }

    @Test func anUnknownKeyIsAskedForOnceInHalfAMinuteAndItsRequestWaits() throws {
        connect()
        source.answer(.success(IssuerKey.set([.rsa])))
        #expect(source.asked.current == 1)
        let token = IssuerKey.p256.token(claims())
        // Just asked: nobody waits, nobody asks.
        let ready = Locked(0)
        let parsed = try JSONWebToken(parsing: token)
        validator.whenReady(parsed) { ready.withLock { $0 += 1 } }
        #expect(ready.current == 1)
        #expect(reason(token) == .token)
        #expect(source.asked.current == 1)

        time.advance(milliseconds: 30_000)
        for _ in 0..<3 { validator.whenReady(parsed) { ready.withLock { $0 += 1 } } }
        #expect(source.asked.current == 2)
        #expect(ready.current == 1)
        source.answer(.success(IssuerKey.set([.p256])))
        #expect(ready.current == 4)
        if case .caller = verdict(token) {} else { Issue.record("the new key is not known") }
        // The old one has gone.
        #expect(reason(IssuerKey.rsa.token(claims())) == .token)
    }

    @Test func keysStayWhileTheIssuerIsAwayAndAreAskedForEachHour() throws {
        connect()
        source.answer(.success(IssuerKey.set([.rsa])))
        for hour in 1...3 {
            time.advance(milliseconds: 3_600_000)
            validator.refreshIfOld()
            validator.refreshIfOld()
            #expect(source.asked.current == 1 + hour)
            source.answer(.failure(IssuerFailure("away")))
            if case .caller = verdict(IssuerKey.rsa.token(claims())) {
            } else {
                Issue.record("forgotten in hour \(hour)")
            }
        }
        // A set without a single key is a mistake, and changes nothing.
        time.advance(milliseconds: 3_600_000)
        validator.refreshIfOld()
        source.answer(.success(Array("{\"keys\":[]}".utf8)))
        if case .caller = verdict(IssuerKey.rsa.token(claims())) {} else { Issue.record("forgotten for an empty set") }
    }

    @Test func withoutAnyKeysATokenIsNotRefusedButPutOff() throws {
        #expect(reason(IssuerKey.rsa.token(claims())) == .unavailable)
        connect()
        #expect(reason(IssuerKey.rsa.token(claims())) == .unavailable)
        source.answer(.failure(IssuerFailure("away")))
        #expect(reason(IssuerKey.rsa.token(claims())) == .unavailable)
        // What an earlier run has kept helps.
        validator.restore(IssuerKey.set([.rsa]))
        if case .caller = verdict(IssuerKey.rsa.token(claims())) {} else { Issue.record("refused") }
    }

    @Test func aCallerWhoseKeyWasTakenBackIsLetInNoLonger() throws {
        connect()
        source.answer(.success(IssuerKey.set([.rsa, .p256])))
        guard case .caller(let caller) = verdict(IssuerKey.p256.token(claims())) else {
            Issue.record("refused")
            return
        }
        let now = time.now().milliseconds
        #expect(try validator.refreshed(caller, now: now)?.get() == caller)
        time.advance(milliseconds: 3_600_000)
        validator.refreshIfOld()
        source.answer(.success(IssuerKey.set([.rsa])))
        #expect(throws: AuthRefusal.self) { try validator.refreshed(caller, now: now)?.get() }
        #expect(validator.refreshed(Caller(groups: []), now: now) == nil)
    }

    /// An issuer that makes a new key under the old name, by mistake or after a theft.
    @Test func `another key under the same name is noticed, and what the old one signed is not believed`() throws {
        let changes = Locked(0)
        validator.connect { [source] in
            source.fetch($0)
        } onChange: { _ in
            changes.withLock { $0 += 1 }
        }
        let (old, new) = (IssuerKey(.p256, id: "k"), IssuerKey(.p256, id: "k"))
        source.answer(.success(IssuerKey.set([old, .rsa])))
        #expect(changes.current == 1)
        guard case .caller(let caller) = verdict(old.token(claims())) else {
            Issue.record("refused")
            return
        }
        time.advance(milliseconds: 30_000)
        // What the new key has signed makes the issuer be asked.
        #expect(reason(new.token(claims())) == .token)
        #expect(source.asked.current == 2)
        source.answer(.success(IssuerKey.set([.rsa, new])))
        #expect(changes.current == 2)
        if case .caller = verdict(new.token(claims())) {} else { Issue.record("the new key is not known") }
        #expect(reason(old.token(claims())) == .token)
        #expect(throws: AuthRefusal.self) {
            try validator.refreshed(caller, now: time.now().milliseconds)?.get()
        }
        // The same keys in another order are no change.
        time.advance(milliseconds: 3_600_000)
        validator.refreshIfOld()
        source.answer(.success(IssuerKey.set([new, .rsa])))
        #expect(changes.current == 2)
    }

    @Test(arguments: ["http://example.com", "example.com", "ftp://example.com", "https://a b"])
    func anIssuerIsNotAskedOverPlainHTTP(_ url: String) {
        #expect(throws: HubError.self) { try IssuerOptions(url: url, audiences: ["a"]) }
    }

    @Test func anIssuerNeedsAnAudience() {
        #expect(throws: HubError.self) { try IssuerOptions(url: "https://example.com", audiences: []) }
    }

    /// A small issuer: its configuration and its keys over HTTP.
    private final class RealIssuer: HTTPServerHandler {
        let keys = Locked<[UInt8]>([])
        let url = Locked("")
        let asked = Locked<[String]>([])

        func request(_ request: HTTPRequest, _ responder: HTTPResponder) {
            asked.withLock { $0.append(request.path) }
            switch request.path {
            case "/.well-known/openid-configuration":
                let json: JSONValue = [
                    "issuer": .string(url.current), "jwks_uri": .string(url.current + "/keys"),
                ]
                responder.respond(HTTPResponse(status: 200, body: json.bytes))
            case "/keys": responder.respond(HTTPResponse(status: 200, body: keys.current))
            default: responder.respond(HTTPResponse(status: 404))
            }
        }
    }

    @Test func aRealIssuersTokensOpenTheHubAlsoAfterItHasGone() async throws {
        let issuer = RealIssuer()
        issuer.keys.withLock { $0 = IssuerKey.set([.rsa]) }
        let server = try HTTPServer(handler: issuer)
        let url = "http://127.0.0.1:\(server.port)"
        issuer.url.withLock { $0 = url }
        let directory = try TempDirectory("issuer")
        var options = HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: APIKeys(), time: SystemTimeSource())
        var known = try IssuerOptions(url: url, audiences: ["bincount"])
        known.provider = .userPools
        options.identity.issuers = [known]
        let now = SystemTimeSource().now().milliseconds / 1000
        let token = IssuerKey.rsa.token([
            "iss": .string(url), "aud": "bincount", "sub": "u-1", "exp": .integer(now + 3600),
            "groups": ["everyone"],
        ])
        func ask(_ hub: HubServer, _ loop: WebSocketLoop) async throws -> Int {
            let body: JSONValue = ["query": "{ listNotes { items { id } } }"]
            let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
            return try await client.send(
                HTTPRequest(path: "/graphql", headers: ["authorization": "Bearer \(token)"], body: body.bytes)
            ).status
        }
        let loop = try WebSocketLoop()
        let first = try await HubServer.start(options)
        // The first request may come before the keys: it waits for them.
        #expect(try await ask(first, loop) == 200)
        #expect(issuer.asked.current.contains("/keys"))
        await first.stop()
        server.stop()
        let second = try await HubServer.start(options)
        #expect(try await ask(second, loop) == 200)
        await second.stop()
        loop.stop()
    }
}
