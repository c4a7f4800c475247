import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

/// Whom credentials name, and what waits while they name somebody else than who is signed in.
@Suite struct TokenPersonTests {
    @Test func aTokensPersonGoesByAnyNameThatHisBackendMayKnowHimBy() throws {
        let text = CredentialsTests.token([
            "sub": "u-1", "cognito:username": "ann", "employee": "P-ann", "site": ["badge": "B17"],
        ])
        func knows(_ name: String, _ claim: String? = nil) -> Bool {
            SyncCredentials.token(text).maySend(as: name, claim: claim)
        }
        for name in ["u-1", "ann", "u-1::ann"] { #expect(knows(name)) }
        #expect(!knows("P-ann") && knows("P-ann", "employee"))
        #expect(knows("B17", "site.badge") && !knows("bob", "employee"))
        #expect(SyncCredentials.token(text).person(claim: "employee") == "P-ann")
        #expect(SyncCredentials.token(text).person(claim: "none") == "u-1")
        // Nobody passes for another by what he puts into his name.
        let odd = SyncCredentials.token(CredentialsTests.token(["sub": "u", "username": "1::ann"]))
        #expect(!odd.maySend(as: "u::1::ann", claim: nil))
        let driver = try AppSyncDriver(
            url: "http://127.0.0.1:1/graphql", credentials: .token(text), device: nil
        ) { $0.personClaim = "employee" }
        #expect(driver.maySend(as: "P-ann") && !driver.maySend(as: "P-bob"))
        _ = driver.send([], person: "P-ann", modes: [], personal: true, timeoutMilliseconds: 1000) { _ in }
        #expect(driver.traffic.requests == 1)
    }

    @Test(arguments: [nil, "employee"])
    func whoIsFoundByHisLoginGoesOnUnderTheNameThatTheBackendGoesBy(_ claim: String?) throws {
        let token = SyncCredentials.token(
            CredentialsTests.token(["sub": "u-1", "username": "ann", "employee": "P-ann"]))
        let fixture = try SessionFixture(
            person: token.person,
            sync: { options in
                options.personClaim = claim
                options.use(Locked(DriverCredentials(standard: token)))
            })
        fixture.connect()
        fixture.finishFetches()
        fixture.handle(.personChanged("P-ann"))
        fixture.handle(.syncNow(id: 1, models: nil))
        guard claim == nil else {
            fixture.shakeHands()
            #expect(fixture.takeSent().map(\.person) == ["P-ann", "P-ann"])
            return
        }
        // Nothing says that it is he: it is said, once, whom the token names, and what would help.
        #expect(
            fixture.results.contains { if case .failed(let reason) = $0 { reason.includes("'u-1'") } else { false } })
        #expect(fixture.problems.current.isEmpty)
        fixture.pass(60_000)
        #expect(fixture.takeSent().isEmpty)
        let told = fixture.events.compactMap {
            if case .paused(_, let person, let detail) = $0 { (person, detail) } else { nil }
        }
        #expect(told.map(\.0) == ["P-ann"])
        let reason = try #require(fixture.status.pausedReason)
        for part in [SyncSession.othersCredentials, "'ann', 'u-1'", "'P-ann'", "personClaim"] {
            #expect(reason.includes(part))
        }
    }

    @Test func withAKeyForAllAndAnothersTokenBesideItNothingIsFetchedUntilHisIsThere() throws {
        func token(_ person: String) -> SyncCredentials { .token(CredentialsTests.token(["sub": .string(person)])) }
        let credentials = Locked(DriverCredentials(standard: .apiKey("k"), others: [.userPools: token("ann")]))
        let model = CredentialsTests.model([CredentialsTests.rule(.owner)])
        let fixture = try SessionFixture(
            schema: Schema(models: [model]),
            sync: { options in
                options.authModeStrategy = .multiAuth
                options.use(credentials)
            })
        fixture.connect()
        #expect(fixture.sent.map(\.modes) == [[.userPools]])
        fixture.finishFetches()
        let opened = fixture.opened.count
        fixture.handle(.personChanged("bob"))
        fixture.pass(120_000)
        #expect(fixture.takeSent().isEmpty && fixture.opened.count == opened)
        credentials.withLock { $0.others[.userPools] = token("bob") }
        fixture.handle(.credentialsChanged)
        fixture.shakeHands()
        // What is asked for while the token is replaced comes in no more.
        let fetch = try #require(fixture.takeSent().first)
        #expect(fetch.person == "bob")
        credentials.withLock { $0.others[.userPools] = token("cid") }
        fixture.handle(.credentialsChanged)
        #expect(fixture.cancelled.contains(fetch.id))
        fixture.answerFetch(fetch, [SessionFixture.json("c", "cid's", owner: "cid")])
        #expect(try fixture.get("c") == nil)
    }

    @Test func ofSeveralProvidersOneHasToNameWhoIsSignedInWhereAnyNamesSomebody() {
        func token(_ person: String) -> SyncCredentials { .token(CredentialsTests.token(["sub": .string(person)])) }
        func isHeld(_ credentials: DriverCredentials, _ strategy: AuthModeStrategy = .multiAuth) -> Bool {
            credentials.hindrance(to: "bob", strategy, claim: nil) != nil
        }
        #expect(!isHeld(DriverCredentials(standard: .apiKey("k"))))
        #expect(!isHeld(DriverCredentials(standard: .apiKey("k"), others: [.oidc: .token("opaque")])))
        #expect(isHeld(DriverCredentials(standard: .apiKey("k"), others: [.oidc: token("ann")])))
        // Nobody shows those then.
        #expect(!isHeld(DriverCredentials(standard: .apiKey("k"), others: [.oidc: token("ann")]), .default))
        // Another provider may know the same person under another name.
        #expect(!isHeld(DriverCredentials(standard: token("bob"), others: [.oidc: token("x-1")])))
        #expect(isHeld(DriverCredentials(standard: token("ann"), others: [.oidc: token("bob")])))
        #expect(DriverCredentials(standard: token("ann")).hindrance(to: nil, .default, claim: nil) == nil)
    }
}
