import AppSync
import Basics
import Crypto
import System
import Testing
import Transport

@testable import Hub

/// Who shows what: the ways in, in their order, and AppSync's words for those who stay out.
@Suite struct AuthenticatorTests {
    let directory: TempDirectory
    let time = ManualTimeSource()
    let identity: HubIdentity
    let store: AccessStore

    init() throws {
        directory = try TempDirectory("identity")
        store = try AccessStore.open(dataDirectory: directory.path, time: time)
        var options = HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["k:everyone"]), time: time)
        options.identity.lifetimes.token = 3_600_000
        options.identity.lifetimes.session = 3 * 3_600_000
        identity = try HubIdentity(options)
        try identity.open(path: directory.file("hub.sqlite")) {}
    }

    private var now: Int64 { time.now().milliseconds }

    private func caller(_ credentials: Credentials) -> Result<Caller, AuthRefusal> {
        identity.authenticator.caller(credentials, now: now)
    }

    private func refusal(_ credentials: Credentials) -> AuthRefusal? {
        if case .failure(let refusal) = caller(credentials) { refusal } else { nil }
    }

    @discardableResult private func change<R>(_ body: () throws -> R) throws -> R {
        let result = try body()
        identity.poll()
        try identity.service.settle()
        return result
    }

    /// A token of ann's, as a right PIN gives it.
    private func token(groups: Set<String> = ["everyone"], device: String? = nil) throws -> String {
        let person = try change {
            try store.setPIN(
                badge: "ann", person: "p1", groups: groups, pin: "4711", parameters: AccessStoreTests.cheap)
        }
        return identity.service.tokens.make(
            person, device: device, isDeviceProven: device != nil, signedIn: now,
            secret: identity.service.snapshot.secret, now: now, id: "1"
        ).token
    }

    @Test func credentialsAreReadFromHeadersAndObjectsInAnyCase() {
        let headers: HTTPHeaders = [
            "X-Api-Key": "k", "AUTHORIZATION": "t", "X-Bincount-Person": "p", "x-bincount-Device": "d",
            "X-Amz-Date": "20240501T100000Z", "Other": "x",
        ]
        let object = RealtimeAuthorization([
            "host": "h", "X-API-KEY": "k", "Authorization": "t", "x-bincount-person": "p", "X-Bincount-Device": "d",
            "x-amz-date": "20240501T100000Z", "x-amz-user-agent": "js",
        ])
        let wanted = Credentials(
            apiKey: "k", authorization: "t", person: "p", device: "d", date: "20240501T100000Z")
        #expect(Credentials(headers) == wanted)
        #expect(Credentials(object) == wanted)
        #expect(Credentials(HTTPHeaders()).isEmpty)
        #expect(Credentials(["x-api-key": ""]).isEmpty)
    }

    @Test func aTokenComesWithOrWithoutBearer() {
        for text in ["abc", "Bearer abc", "bearer abc", "BEARER  abc"] {
            #expect(Credentials(authorization: text).token == "abc", "\(text)")
        }
        #expect(Credentials(authorization: "AWS4-HMAC-SHA256 Credential=…").token == nil)
        #expect(Credentials().token == nil)
    }

    @Test func eachRefusalHasAppSyncsStatusKindAndMessage() throws {
        let expired = try token()
        time.advance(milliseconds: 3_600_000)
        let cases: [(Credentials, AuthRefusal.Reason, String)] = [
            (Credentials(), .missing, "Valid authorization header not provided."),
            (Credentials(apiKey: "wrong"), .key, "You are not authorized to make this call."),
            (Credentials(authorization: "junk"), .token, "Unable to parse JWT token."),
            (Credentials(authorization: "Bearer "), .token, "Unable to parse JWT token."),
            (Credentials(authorization: expired), .expired, "Token has expired."),
        ]
        for (credentials, reason, message) in cases {
            let refusal = try #require(self.refusal(credentials))
            #expect(refusal.reason == reason)
            #expect(refusal.status == 401)
            #expect(refusal.errorType == "UnauthorizedException")
            #expect(refusal.message == message)
        }
    }

    @Test func aSignatureOfAWSIsRefusedWithWhatThisHubTakesWhateverElseIsThere() throws {
        let signed = "AWS4-HMAC-SHA256 Credential=AKID/20240501/eu-west-1/appsync/aws4_request, Signature=0"
        for key in [nil, "k"] {
            let refusal = try #require(self.refusal(Credentials(apiKey: key, authorization: signed)))
            #expect(refusal.reason == .signature)
            #expect(refusal.status == 401)
            #expect(refusal.message.contains("x-api-key"))
            #expect(refusal.message.contains("authorization"))
        }
    }

    @Test func aKeyGoesBeforeAToken() throws {
        let token = try self.token()
        #expect(try caller(Credentials(apiKey: "k", authorization: token)).get().provider == .apiKey)
        #expect(try caller(Credentials(authorization: token)).get().provider == .userPools)
        // And is not made up for by one.
        #expect(refusal(Credentials(apiKey: "wrong", authorization: token))?.reason == .key)
    }

    @Test func aPersonsTokenCarriesClaimsGroupsAndItsEnd() throws {
        let caller = try self.caller(Credentials(authorization: try token(device: "T9"), person: "somebody else")).get()
        #expect(caller.person == "p1")
        #expect(caller.groups == ["everyone"])
        #expect(caller.device == "T9")
        #expect(caller.claims["sub"] == "p1")
        #expect(caller.claims["username"] == "ann")
        #expect(caller.expires == now + 3_600_000)
    }

    @Test func groupsAreThoseOfNowAndNotOfTheToken() throws {
        let credentials = Credentials(authorization: try token())
        let before = try caller(credentials).get()
        let generation = identity.authenticator.generation
        try change { try store.setGroups(badge: "ann", ["auditors"]) }
        #expect(identity.authenticator.generation > generation)
        #expect(try caller(credentials).get().groups == ["auditors"])
        let refreshed = try identity.authenticator.refreshed(before, now: now).get()
        #expect(refreshed.groups == ["auditors"])
        // A rule may read them from the claim of that name.
        for caller in [refreshed, try caller(credentials).get()] {
            #expect(caller.groups(claim: "groups") == ["auditors"])
        }
    }

    @Test func aNewPINAndARemovalEndTokensAtOnce() throws {
        let credentials = Credentials(authorization: try token())
        let before = try caller(credentials).get()
        try change { try store.setPIN(badge: "ann", pin: "2580", parameters: AccessStoreTests.cheap) }
        #expect(refusal(credentials)?.reason == .expired)
        #expect(throws: AuthRefusal.self) { try identity.authenticator.refreshed(before, now: now).get() }
        let second = Credentials(authorization: try token())
        #expect(refusal(second) == nil)
        try change { try store.removePerson(badge: "ann") }
        #expect(refusal(second)?.reason == .expired)
    }

    @Test func aTokenOfAnotherHubIsNotBelieved() throws {
        let person = try #require(
            try change { () -> StoredPerson? in
                try store.setPIN(badge: "ann", person: "p1", pin: "4711", parameters: AccessStoreTests.cheap)
            })
        let foreign = identity.service.tokens.make(
            person, device: nil, signedIn: now, secret: Array(repeating: 7, count: 32), now: now, id: "1")
        #expect(refusal(Credentials(authorization: foreign.token))?.reason == .token)
        let unsecured = identity.service.tokens.make(
            person, device: nil, signedIn: now, secret: [], now: now, id: "1")
        #expect(refusal(Credentials(authorization: unsecured.token))?.reason == .token)
    }

    @Test func aStoredKeyIsGoodUntilItEndsOrIsWithdrawn() throws {
        let (key, stored) = try change { try store.addKey(groups: ["everyone"], name: "erp", lifetime: 60_000) }
        let credentials = Credentials(apiKey: key, person: "ann", device: "T1")
        let before = try caller(credentials).get()
        #expect(before.person == "ann")
        #expect(before.device == "T1")
        #expect(before.expires == now + 60_000)
        #expect(before.source == .storedKey(stored.id))
        time.advance(milliseconds: 59_999)
        #expect(refusal(credentials) == nil)
        time.advance(milliseconds: 1)
        #expect(refusal(credentials)?.reason == .key)
        #expect(throws: AuthRefusal.self) { try identity.authenticator.refreshed(before, now: now).get() }

        let (second, other) = try change { try store.addKey(groups: ["everyone"], name: "second") }
        let open = try caller(Credentials(apiKey: second)).get()
        try change { try store.revokeKey(other.id) }
        #expect(refusal(Credentials(apiKey: second))?.reason == .key)
        #expect(throws: AuthRefusal.self) { try identity.authenticator.refreshed(open, now: now).get() }
    }

    @Test func aTerminalWithAKeyOfItsOwnIsNamedByNobodyElsesToken() throws {
        let (key, _) = try change { try store.addKey(forDevice: "T1") }
        #expect(try caller(Credentials(apiKey: key, device: "T2")).get().device == "T1")
        let token = try self.token()
        #expect(try caller(Credentials(authorization: token, device: "T1")).get().device == nil)
        #expect(try caller(Credentials(authorization: token, device: "T5")).get().device == "T5")
        let atT1 = try self.token(device: "T1")
        #expect(try caller(Credentials(authorization: atT1, device: "T1")).get().device == "T1")
    }

    @Test func whenAKeyWasLastUsedIsWrittenDownOnceAMinute() throws {
        let (key, stored) = try change { try store.addKey(groups: ["everyone"], name: "erp") }
        _ = try caller(Credentials(apiKey: key)).get()
        time.advance(milliseconds: 60_000)
        try change {}
        let used = try #require(try store.keys().first { $0.id == stored.id }?.used)
        #expect(used <= now && used > now - 120_000)
    }

    @Test func aSessionIsRenewedWhileItLastsAndNoLonger() throws {
        var token = try self.token(device: "T9")
        for hour in 1...3 {
            time.advance(milliseconds: 3_590_000)
            guard case .success(let renewed) = identity.service.renew(Credentials(authorization: token)) else {
                Issue.record("not renewed in hour \(hour)")
                return
            }
            let caller = try self.caller(Credentials(authorization: renewed.token)).get()
            #expect(caller.device == "T9")
            #expect(renewed.expires <= 3 * 3_600_000 + ManualTimeSource().now().milliseconds)
            token = renewed.token
        }
        time.advance(milliseconds: 30_000)
        guard case .failure(let refusal) = identity.service.renew(Credentials(authorization: token)) else {
            Issue.record("renewed after the session's end")
            return
        }
        #expect(refusal.status == 401)
        #expect(refusal.errorType == "UnauthorizedException")
    }

    @Test func aWithdrawnKeyEndsItsSubscriptionsAndItsConnection() throws {
        let (key, stored) = try change { try store.addKey(groups: ["everyone"], name: "") }
        let (other, _) = try change { try store.addKey(groups: ["everyone"], name: "") }
        var floor = RealtimeFixture(try HubFixture(authenticator: identity.authenticator, time: time))
        floor.connect(1, key)
        floor.connect(2, other)
        floor.start(1, "a", "subscription { onCreateNote { id } }", key: key)
        // Another's key in a start frame: it is the subscription's that counts.
        floor.start(2, "a", "subscription { onCreateNote { id } }", key: other)
        floor.start(2, "b", "subscription { onUpdateNote { id } }", key: key)
        floor.perform(floor.registry.refreshedRights())
        #expect(floor.types(1).last == "start_ack")
        try change { try store.revokeKey(stored.id) }
        floor.perform(floor.registry.refreshedRights())
        #expect(floor.types(1).suffix(2) == ["error", "complete"])
        #expect(floor.closed == [1: 1008])
        #expect(floor.types(2).suffix(2) == ["error", "complete"])
        #expect(floor.registry.subscriptionCount == 1)
        let refused = floor.inbox[2]?.first { $0["type"] == "error" }
        #expect(refused?["id"] == "b")
        #expect(refused?["payload"]?["errors"]?[0]?["errorType"] == "UnauthorizedException")
        // Nothing is said twice.
        let before = floor.inbox
        floor.perform(floor.registry.refreshedRights())
        #expect(floor.inbox == before)
    }

    @Test func aTokenThatEndsEndsWhatIsOpenUnderIt() throws {
        let token = try self.token()
        var floor = RealtimeFixture(try HubFixture(authenticator: identity.authenticator, time: time))
        floor.registry.opened(1, .object(RealtimeAuthorization(host: "h", token: token)))
        floor.send(1, "{\"type\":\"connection_init\"}")
        #expect(floor.types(1) == ["connection_ack", "ka"])
        time.advance(milliseconds: 3_599_000)
        floor.perform(floor.registry.refreshedRights())
        #expect(floor.closed.isEmpty)
        time.advance(milliseconds: 1000)
        floor.perform(floor.registry.refreshedRights())
        #expect(floor.closed == [1: 1008])
    }
}
