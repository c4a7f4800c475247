import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

/// Keys and tokens, several providers, and renewing in time.
@Suite struct CredentialsTests {
    static func token(_ claims: JSONObject) -> String {
        "e30.\(Base64.encodeURL(JSONValue.object(claims).bytes)).AA"
    }

    @Test func aTokenSaysWhoseItIsAndWhenItEnds() {
        let token = SyncCredentials.token(
            Self.token(["sub": "ann", "exp": 1_800_000_600, "iat": 1_800_000_000, "username": "B17"]))
        #expect(token.person == "ann")
        #expect(token.expires == 1_800_000_600_000)
        #expect(token.made == 1_800_000_000_000)
        #expect(token.userName == "B17")
        for opaque in ["", "abc", "a.b.c", "..", "e30.!!.AA"] {
            #expect(SyncCredentials.token(opaque).person == nil)
            #expect(SyncCredentials.token(opaque).expires == nil)
        }
        #expect(SyncCredentials.apiKey("a.e30.b").person == nil)
    }

    @Test func aTokenWhoseTimesAreNoneSaysNothingOfThem() throws {
        for text in ["99999999999999999", "1e300", "-1", "-1e300"] {
            let time = try JSONValue(parsing: text)
            let token = SyncCredentials.token(Self.token(["sub": "ann", "exp": time, "iat": time]))
            #expect(token.expires == nil && token.made == nil)
            #expect(token.person == "ann")
        }
    }

    @Test func aKeyNamesAnybodyAndATokenOnlyItsOwnPerson() {
        let token = SyncCredentials.token(Self.token(["sub": "ann"]))
        #expect(token.maySend(as: "ann", claim: nil))
        #expect(token.maySend(as: nil, claim: nil))
        #expect(!token.maySend(as: "bob", claim: nil))
        #expect(SyncCredentials.apiKey("k").maySend(as: "bob", claim: "sub"))
        let key = SyncCredentials.apiKey("k").headers(person: "bob", device: "T1")
        #expect(key.map(\.0) == ["x-api-key", "x-bincount-person", "x-bincount-device"])
        let held = SyncCredentials.token("t").headers(person: "bob", device: "T1")
        #expect(held.map(\.0) == ["authorization", "x-bincount-device"])
        let object = SyncCredentials.token("t").authorization(host: "h", person: "bob", device: "T1")
        #expect(object["authorization"] == "t")
        #expect(object["x-bincount-device"] == "T1")
        #expect(object["x-bincount-person"] == nil)
    }

    @Test func anothersChangesWaitUntilHisTokenIsThere() throws {
        let credentials = Locked(SyncCredentials.token(Self.token(["sub": "ann"])))
        let fixture = try SessionFixture(sync: { $0.maySend = { credentials.current.maySend(as: $0, claim: nil) } })
        fixture.connect()
        fixture.finishFetches()
        try fixture.save(SessionFixture.record("1", "bob's", owner: "bob"), as: "bob")
        #expect(fixture.takeSent().isEmpty)
        try fixture.save(SessionFixture.record("2", "ann's"), as: "ann")
        let sent = fixture.takeSent()
        #expect(sent.map(\.person) == ["ann"])
        #expect(fixture.status.unsent == 2)
        credentials.withLock { $0 = .token(Self.token(["sub": "bob"])) }
        fixture.handle(.credentialsChanged)
        #expect(fixture.takeSent().map(\.person).contains("bob"))
    }

    @Test func whoSignsInBeforeHisTokenIsThereGetsNothingOfAnothers() throws {
        let credentials = Locked(SyncCredentials.token(Self.token(["sub": "ann"])))
        let fixture = try SessionFixture(
            profile: .appSync, sync: { $0.maySend = { credentials.current.maySend(as: $0, claim: nil) } })
        fixture.connect()
        #expect(fixture.sent.allSatisfy { $0.personal })
        fixture.finishFetches()
        let opened = fixture.opened.count
        fixture.handle(.personChanged("bob"))
        fixture.pass(120_000)
        #expect(fixture.opened.count == opened, "nothing is heard with Ann's token")
        #expect(fixture.takeSent().isEmpty, "nor fetched")
        #expect(fixture.status.link == .paused(reason: SyncSession.othersCredentials))
        credentials.withLock { $0 = .token(Self.token(["sub": "bob"])) }
        fixture.handle(.credentialsChanged)
        #expect(fixture.opened.last?.person == "bob" && fixture.opened.count == opened + 1)
        fixture.shakeHands()
        #expect(fixture.takeSent().map(\.person) == ["bob", "bob"])
        #expect(fixture.status.isLive)
    }

    @Test func aDeviceWithoutAPersonFetchesWithAnyToken() throws {
        let token = SyncCredentials.token(Self.token(["sub": "ann"]))
        let fixture = try SessionFixture(person: nil, sync: { $0.maySend = { token.maySend(as: $0, claim: nil) } })
        fixture.connect()
        #expect(fixture.takeSent().count == 2)
        #expect(fixture.status.isLive)
    }

    @Test func aRefusedTokenPausesWithoutTouchingEntriesAndANewOneGoesOn() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches()
        try fixture.save(SessionFixture.record("1", "a"))
        let first = try #require(fixture.takeSent().first)
        fixture.answer(
            first.id, ["errors": [["errorType": "UnauthorizedException", "message": "Token has expired."]]], status: 401
        )
        #expect(fixture.takeSent().isEmpty)
        #expect(try fixture.state("1") == .queued)
        #expect(fixture.status.parked == 0)
        fixture.handle(.credentialsChanged)
        let again = try #require(fixture.takeSent().first { $0.query.contains("mutation") })
        // The same change, under the same id.
        #expect(again.body["extensions"] == first.body["extensions"])
    }

    @Test func aChangeIsShownWithNobodyElsesToken() throws {
        let driver = try AppSyncDriver(
            url: "http://127.0.0.1:1/graphql", credentials: .token(Self.token(["sub": "ann"])), device: nil)
        // Between the choice of Ann's changes and their request.
        driver.setCredentials(.token(Self.token(["sub": "bob"])))
        let failures = Locked<[RequestFailure]>([])
        _ = driver.send([], person: "ann", modes: [], personal: true, timeoutMilliseconds: 1000) { result in
            if case .failure(let failure) = result { failures.withLock { $0.append(failure) } }
        }
        #expect(failures.current.map(\.mayHaveArrived) == [false])
        #expect(driver.traffic.requests == 0)
    }

    @Test func providersWhoseTokenIsAnothersAreSkipped() {
        let tried = Locked<[AuthProvider?]>([])
        let failures = Locked<[RequestFailure]>([])
        RequestInModes([.userPools, .apiKey]) { result in
            if case .failure(let failure) = result { failures.withLock { $0.append(failure) } }
        } send: { mode, _ in
            tried.withLock { $0.append(mode) }
            return nil
        }.begin()
        #expect(tried.current == [.userPools, .apiKey])
        #expect(failures.current.map(\.mayHaveArrived) == [false])
    }

    private static let expired: JSONValue = [
        "errors": [["errorType": "UnauthorizedException", "message": "Token has expired."]]
    ]

    @Test func aRefusalThatCameAMomentBeforeTheNewTokenHoldsNothingBack() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches()
        try fixture.save(SessionFixture.record("1", "a"))
        fixture.answer(try #require(fixture.takeSent().first).id, Self.expired, status: 401)
        #expect(fixture.takeSent().isEmpty)
        fixture.handle(.credentialsRenewed)
        #expect(fixture.takeSent().count == 1)
        // What is open stays open.
        #expect(fixture.status.isLive)
    }

    @Test(arguments: [SyncEvent.credentialsRenewed, .credentialsChanged])
    func aLateRefusalOfCredentialsThatWereReplacedPausesNothing(_ replaced: SyncEvent) throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let fetches = fixture.takeSent()
        fixture.handle(replaced)
        for fetch in fetches { fixture.answer(fetch.id, Self.expired, status: 401) }
        #expect(fixture.status.pausedReason == nil)
        #expect(!fixture.takeEvents().contains { if case .paused = $0 { true } else { false } })
        fixture.pass(1000)
        let again = fixture.takeSent()
        #expect(!again.isEmpty)
        // The present ones are refused: that does pause.
        for fetch in again { fixture.answer(fetch.id, Self.expired, status: 401) }
        #expect(fixture.takeEvents().contains { if case .paused = $0 { true } else { false } })
    }

    @Test func aConnectionRefusedForATokenThatWasRenewedMeanwhileIsMadeAnew() throws {
        let fixture = try SessionFixture()
        let refused = ResponseError("Token has expired.", errorType: "UnauthorizedException", errorCode: 401)
        fixture.handle(.start)
        fixture.handle(.socketOpened(socket: 1))
        fixture.handle(.credentialsRenewed)
        fixture.hear([.connectionError([refused])])
        #expect(fixture.status.pausedReason == nil)
        fixture.pass(1000)
        fixture.handle(.socketOpened(socket: 2))
        fixture.hear([.connectionAck(timeoutMilliseconds: 60_000)])
        // Nor is a model taken as not given to the caller.
        fixture.handle(.credentialsRenewed)
        fixture.hear([.error(id: "1", errors: [refused])])
        #expect(!fixture.status.isLive && fixture.status.pausedReason == nil)
        // A token that ended a moment before it was renewed: the connection waits no longer than that.
        fixture.pass(2000)
        fixture.handle(.socketOpened(socket: 3))
        fixture.hear([.connectionError([refused])])
        #expect(fixture.status.pausedReason != nil)
        fixture.handle(.credentialsRenewed)
        #expect(fixture.status.pausedReason == nil)
    }

    // MARK: Several providers

    static func model(_ rules: [AuthRule]) -> ModelSchema {
        ModelSchema(
            "Task", pluralName: "Tasks", fields: SessionFixture.task.fields, authRules: rules)
    }

    static func rule(_ allow: AuthRule.Strategy, _ provider: String? = nil) -> AuthRule {
        AuthRule(
            allow: allow, groups: allow == .groups ? ["all"] : [], ownerField: allow == .owner ? "owner" : nil,
            provider: provider, operations: Set(AuthRule.Operation.allCases))
    }

    @Test func providersAreTriedInAmplifysOrderAndOnlyThoseThatAreThere() {
        let rules = [
            Self.rule(.public), Self.rule(.public, "iam"), Self.rule(.private, "oidc"), Self.rule(.groups),
            Self.rule(.owner, "oidc"), Self.rule(.custom),
        ]
        let all = Set(AuthProvider.allCases)
        let model = Self.model(rules)
        #expect(model.authModes(.create, available: all) == [.function, .oidc, .userPools, .iam, .apiKey])
        #expect(model.authModes(.create, available: [.apiKey, .oidc]) == [.oidc, .apiKey])
        #expect(model.authModes(.create, available: []) == [])
        let reading = AuthRule(allow: .public, operations: AuthRule.Operation.read)
        #expect(Self.model([reading]).authModes(.create, available: all) == [])
        #expect(Self.model([reading]).authModes(.sync, available: all) == [.apiKey])
    }

    @Test func eachRequestCarriesItsModelsProvidersAndChangesGoOneByOne() throws {
        let model = Self.model([Self.rule(.public), Self.rule(.owner)])
        let fixture = try SessionFixture(
            schema: Schema(models: [model]),
            sync: { options in
                options.authModeStrategy = .multiAuth
                options.availableProviders = { [.apiKey, .userPools] }
            })
        fixture.connect()
        let fetches = fixture.takeSent()
        #expect(fetches.map(\.modes) == [[.userPools, .apiKey]])
        for fetch in fetches { fixture.answerFetch(fetch, announcing: ["batch": 100, "mutationIds": true]) }
        for number in 0..<3 {
            try fixture.core.write(as: "ann") {
                try $0.save(
                    Record(schema: model, values: [.text("\(number)"), .text("t"), .null, .text("ann")]))
            }
        }
        fixture.handle(.localCommit)
        let pushes = fixture.takeSent()
        #expect(!pushes.isEmpty)
        for push in pushes {
            #expect(push.modes == [.userPools, .apiKey])
            #expect(push.query.split(separator: "createTask").count == 2)
        }
    }

    @Test func aTransactionGoesAsOneThoughOtherChangesGoOneByOne() throws {
        let both = Self.model([Self.rule(.public), Self.rule(.owner)])
        let open = ModelSchema(
            "Note", pluralName: "Notes", fields: [FieldSchema("id", .scalar(.id), isRequired: true)],
            authRules: [Self.rule(.public)])
        let fixture = try SessionFixture(
            schema: Schema(models: [both, open]),
            sync: { options in
                options.authModeStrategy = .multiAuth
                options.availableProviders = { [.apiKey, .userPools] }
            })
        fixture.connect()
        for fetch in fixture.takeSent() {
            fixture.answerFetch(fetch, announcing: ["batch": 2, "mutationIds": true, "atomic": true])
        }
        func save(_ notes: [String]) throws {
            try fixture.core.write(as: "ann") { transaction in
                try transaction.sentAsOne {
                    try transaction.save(
                        Record(schema: both, values: [.text(notes.joined()), .text("t"), .null, .text("ann")]))
                    for id in notes { try transaction.save(Record(schema: open, values: [.text(id)])) }
                }
            }
            fixture.handle(.localCommit)
        }
        try save(["a"])
        let push = try #require(fixture.takeSent().first)
        #expect(push.body["extensions"]?["bincount"]?["atomic"] == [["m0", "m1"]])
        #expect(push.modes == [.apiKey], "what does for both")
        #expect(fixture.status.parked == 0)
        // What the backend announced is what it takes.
        try save(["b", "c"])
        #expect(fixture.status.parked == 3)
    }

    @Test func whichProvidersRefusedASubscriptionIsForgottenWithItsNumber() throws {
        let models = ["Aaa", "Bbb"].map { name in
            ModelSchema(
                name, pluralName: name + "s", fields: [FieldSchema("id", .scalar(.id), isRequired: true)],
                authRules: [Self.rule(.public), Self.rule(.owner)])
        }
        let fixture = try SessionFixture(
            schema: Schema(models: models),
            sync: { options in
                options.authModeStrategy = .multiAuth
                options.availableProviders = { [.apiKey, .userPools] }
                options.modeAuthorization = { mode, _ in RealtimeAuthorization(["mode": .string(mode.rawValue)]) }
            })
        func connect(_ socket: Int) -> String? {
            fixture.handle(.socketOpened(socket: socket))
            fixture.hear([.connectionAck(timeoutMilliseconds: 60_000)])
            for frame in fixture.frames.reversed() {
                if case .start("1", _, let authorization) = frame { return authorization["mode"] }
            }
            return nil
        }
        fixture.handle(.start)
        #expect(connect(1) == "userPools")
        fixture.hear([.error(id: "1", errors: [ResponseError("no", errorType: "Unauthorized", errorCode: 401)])])
        try fixture.core.setPolicies(["Aaa": .none], as: nil)
        fixture.handle(.policiesChanged)
        #expect(connect(2) == "userPools", "which is Bbb's now")
    }

    @Test func aSubscriptionThatIsRefusedIsStartedAgainWithTheNextProvider() throws {
        let model = Self.model([Self.rule(.public), Self.rule(.owner)])
        let fixture = try SessionFixture(
            schema: Schema(models: [model]),
            sync: { options in
                options.authModeStrategy = .multiAuth
                options.availableProviders = { [.apiKey, .userPools] }
                options.modeAuthorization = { mode, _ in RealtimeAuthorization(["mode": .string(mode.rawValue)]) }
            })
        fixture.handle(.start)
        fixture.handle(.socketOpened(socket: 1))
        fixture.hear([.connectionAck(timeoutMilliseconds: 60_000)])
        func modes() -> [String] {
            fixture.frames.compactMap { frame in
                if case .start("1", _, let authorization) = frame { authorization["mode"] } else { nil }
            }
        }
        #expect(modes() == ["userPools"])
        let refused = ResponseError("no", errorType: "Unauthorized", errorCode: 401)
        fixture.hear([.error(id: "1", errors: [refused])])
        #expect(modes() == ["userPools", "apiKey"])
        // None is left: it is taken as not given, and the others go on.
        fixture.hear([.error(id: "1", errors: [refused]), .startAck(id: "2"), .startAck(id: "3")])
        #expect(modes() == ["userPools", "apiKey"])
        #expect(fixture.status.isLive)
    }

    @Test func onlyAnAnswerThatRefusesEverythingIsTriedAgain() {
        func isRefused(_ status: Int, _ json: JSONValue) -> Bool {
            HTTPAnswer(status: status, body: json.bytes).isRefusedAsUnauthorized
        }
        let unauthorized: JSONValue = ["errorType": "Unauthorized", "message": "no"]
        let other: JSONValue = ["errorType": "ConditionalCheckFailedException", "message": "no"]
        #expect(isRefused(401, .null))
        #expect(isRefused(200, ["data": ["a": .null], "errors": [unauthorized]]))
        #expect(isRefused(200, ["data": .null, "errors": [unauthorized]]))
        #expect(!isRefused(200, ["data": ["a": .null], "errors": [unauthorized, other]]))
        #expect(!isRefused(200, ["data": ["a": ["id": "1"], "b": .null], "errors": [unauthorized]]))
        // Of changes that go as one the others only say that they went with the one that was refused.
        let cancelled: JSONValue = ["errorType": "TransactionCanceledException", "message": "a was refused"]
        let none: JSONValue = ["a": .null, "b": .null]
        #expect(isRefused(200, ["data": none, "errors": [cancelled, unauthorized]]))
        #expect(!isRefused(200, ["data": none, "errors": [cancelled, other]]))
        #expect(!isRefused(200, ["data": none, "errors": [cancelled]]))
        #expect(!isRefused(200, ["data": ["a": .null]]))
        #expect(!isRefused(503, ["errors": [unauthorized]]))
        #expect(!isRefused(200, "no"))
    }

    // MARK: Renewing

    @Test func aTokenIsRenewedWhenThreeQuartersOfItAreOver() {
        var renewal = TokenRenewal()
        #expect(renewal.handle(.token(made: 0, expires: 1_000_000), now: 0) == [.setDeadline(750_000)])
        #expect(renewal.handle(.deadline, now: 750_000) == [.renew])
        // One at a time.
        #expect(renewal.handle(.deadline, now: 750_001) == [])
        #expect(renewal.handle(.renewed, now: 751_000) == [])
        #expect(
            renewal.handle(.token(made: 751_000, expires: 1_751_000), now: 751_000) == [.setDeadline(750_000)])
    }

    /// A device's clock that is hours off shows what it likes; the backend says what time it is with each answer.
    @Test(arguments: [-50_000_000, -4_000_000, 0, 4_000_000, 50_000_000] as [Int64])
    func aTokenIsRenewedByTheBackendsClock(_ error: Int64) {
        var renewal = TokenRenewal()
        func time(_ uptime: Int64) -> Int64 { renewal.time(wall: 1_000_000_000 + uptime + error, uptime: uptime) }
        _ = renewal.handle(.token(made: 1_000_000_000, expires: 1_010_000_000), now: time(0))
        var isNew = renewal.heard(1_000_000_000, uptime: 0)
        #expect(isNew)
        #expect(renewal.handle(.time, now: time(0)) == [.setDeadline(7_500_000)])
        // The next answer says the same, as far as answers can.
        isNew = renewal.heard(1_005_000_900, uptime: 5_000_000)
        #expect(!isNew)
        #expect(renewal.handle(.deadline, now: time(7_500_000)) == [.renew])
        #expect(renewal.handle(.time, now: time(7_500_000)) == [], "one at a time")
        #expect(renewal.handle(.renewed, now: time(7_500_000)) == [])
        let next = TokenRenewal.Event.token(made: 1_007_500_000, expires: 1_017_500_000)
        #expect(renewal.handle(next, now: time(7_500_000)) == [.setDeadline(7_500_000)])
    }

    @Test func beforeTheBackendsClockIsHeardASlowOneOnlyMakesATokenNew() {
        var renewal = TokenRenewal()
        let token = TokenRenewal.Event.token(made: 20_000_000, expires: 30_000_000)
        #expect(renewal.handle(token, now: 0) == [.setDeadline(7_500_000)])
    }

    @Test func whatIsDueWhenAProgramStartsIsRenewedAtOnceAndNotLost() {
        var renewal = TokenRenewal()
        // Less is left of it than a pause between two tries.
        #expect(renewal.handle(.token(made: 0, expires: 100_000), now: 95_000) == [.setDeadline(0)])
        #expect(renewal.handle(.deadline, now: 95_000) == [.renew])
        #expect(renewal.handle(.failed, now: 95_000) == [.setDeadline(TokenRenewal.shortest)])
    }

    @Test func whileNobodyAnswersItTriesEverSoonerUntilTheEnd() {
        var renewal = TokenRenewal()
        var now: Int64 = 0
        _ = renewal.handle(.token(made: 0, expires: 1_000_000), now: 0)
        now = 750_000
        var tries = 0
        while now < 1_000_000 {
            #expect(renewal.handle(.deadline, now: now) == [.renew])
            tries += 1
            guard case .setDeadline(let wait?)? = renewal.handle(.failed, now: now).first else { break }
            #expect(wait >= TokenRenewal.shortest)
            now += wait
        }
        #expect(tries > 5 && tries < 30)
        #expect(renewal.handle(.deadline, now: 1_000_000) == [])
    }

    @Test func aRefusedRenewalIsLeftToAPerson() {
        var renewal = TokenRenewal()
        _ = renewal.handle(.token(made: 0, expires: 1_000_000), now: 0)
        #expect(renewal.handle(.deadline, now: 750_000) == [.renew])
        #expect(renewal.handle(.refused, now: 750_000) == [.setDeadline(nil), .endsAt(1_000_000)])
        #expect(renewal.handle(.deadline, now: 800_000) == [])
    }

    @Test func aRenewalThatGainsNoTimeIsTheLast() {
        var renewal = TokenRenewal()
        _ = renewal.handle(.token(made: 0, expires: 1_000_000), now: 0)
        #expect(renewal.handle(.deadline, now: 750_000) == [.renew])
        #expect(renewal.handle(.renewed, now: 750_000) == [])
        // The session ends then, whatever is made until then.
        let last = renewal.handle(.token(made: 750_000, expires: 1_000_000), now: 750_000)
        #expect(last == [.setDeadline(nil), .endsAt(1_000_000)])
        #expect(renewal.handle(.deadline, now: 900_000) == [])
        #expect(renewal.handle(.token(made: 990_000, expires: 1_500_000), now: 990_000) == [.setDeadline(382_500)])
    }

    @Test func clocksThatDifferNeverMakeItRenewWithoutEnd() {
        for (made, expires, now) in [(0, 1000, 2000), (5_000_000, 5_100_000, 0), (0, 1000, 999)]
            as [(Int64, Int64, Int64)]
        {
            var renewal = TokenRenewal()
            // The first may be due at once; from then on there is a pause.
            _ = renewal.handle(.token(made: made, expires: expires), now: now)
            guard renewal.handle(.deadline, now: now) == [.renew] else { continue }
            _ = renewal.handle(.renewed, now: now)
            let next = renewal.handle(.token(made: made, expires: expires + 1), now: now)
            guard case .setDeadline(let wait)? = next.first else { continue }
            #expect(wait.map { $0 >= TokenRenewal.shortest } ?? true)
        }
        var renewal = TokenRenewal()
        #expect(renewal.handle(.token(made: nil, expires: nil), now: 0) == [.setDeadline(nil)])
        #expect(renewal.handle(.deadline, now: 1) == [])
    }
}
