import Basics
import System
import Testing
import Transport

@testable import Hub

/// A terminal that has a key of its own is named by nobody else, whatever his credentials are.
@Suite struct EnrolledDeviceTests {
    private let directory: TempDirectory
    private let time = ManualTimeSource()
    private let identity: HubIdentity
    private let store: AccessStore

    init() throws {
        directory = try TempDirectory("enrolled")
        store = try AccessStore.open(dataDirectory: directory.path, time: time)
        identity = try HubIdentity(
            HubOptions(
                dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["configured:everyone"]),
                time: time))
        try identity.open(path: directory.file("hub.sqlite")) {}
    }

    private func change<R>(_ body: () throws -> R) throws -> R {
        let result = try body()
        identity.poll()
        try identity.service.settle()
        return result
    }

    private func caller(_ credentials: Credentials) throws -> Caller {
        try identity.authenticator.caller(credentials, now: time.now().milliseconds).get()
    }

    private func refreshed(_ caller: Caller) throws -> Caller {
        try identity.authenticator.refreshed(caller, now: time.now().milliseconds).get()
    }

    private func login(_ terminal: Caller?, device: String?) async -> Result<SignIn, SignInRefusal> {
        var body: JSONObject = ["badge": "ann", "pin": "4711"]
        if let device { body["device"] = .string(device) }
        let request = HTTPRequest(path: "/login", body: JSONValue.object(body).bytes)
        return await withCheckedContinuation { continuation in
            identity.service.signIn(request, address: "192.0.2.1", terminal: terminal) {
                continuation.resume(returning: $0)
            }
        }
    }

    @Test func `a key that is bound to no terminal cannot name one that has a key`() throws {
        let own = try change { try store.addKey(forDevice: "T1").key }
        let unbound = try change { try store.addKey(groups: ["counters"], name: "").key }
        #expect(try caller(Credentials(apiKey: own)).device == "T1")
        #expect(try caller(Credentials(apiKey: own, device: "T2")).device == "T1")
        for key in [unbound, "configured"] {
            #expect(try caller(Credentials(apiKey: key, device: "T1")).device == nil)
            #expect(try caller(Credentials(apiKey: key, person: "p", device: "T2")).device == "T2")
        }
    }

    @Test func `who is connected under a terminal's name loses it when the terminal gets its key`() throws {
        let unbound = try change { try store.addKey(groups: ["counters"], name: "").key }
        let before = try [unbound, "configured"].map { try caller(Credentials(apiKey: $0, device: "T1")) }
        #expect(before.map(\.device) == ["T1", "T1"])
        let own = try change { try store.addKey(forDevice: "T1").key }
        for caller in before { #expect(try refreshed(caller).device == nil) }
        #expect(try refreshed(try caller(Credentials(apiKey: own))).device == "T1")
    }

    @Test func `a token is at a terminal that has a key only if it was made under that key`() async throws {
        try change {
            _ = try store.setPIN(
                badge: "ann", person: "p1", groups: ["everyone"], pin: "4711", parameters: AccessStoreTests.cheap)
        }
        // Before the terminal has a key anybody may name it.
        let early = try await login(nil, device: "T1").get()
        #expect(try caller(Credentials(authorization: early.token)).device == "T1")
        let connected = try caller(Credentials(authorization: early.token))
        let own = try change { try store.addKey(forDevice: "T1").key }
        #expect(try caller(Credentials(authorization: early.token)).device == nil)
        #expect(try caller(Credentials(authorization: early.token, device: "T1")).device == nil)
        #expect(try refreshed(connected).device == nil)
        let renewed = try identity.service.renew(Credentials(authorization: early.token)).get()
        #expect(try caller(Credentials(authorization: renewed.token)).device == nil)

        // An unbound key does not make its holder the terminal.
        let unbound = try caller(Credentials(apiKey: "configured", device: "T1"))
        #expect(await login(unbound, device: "T1") == .failure(.foreignDevice))
        let elsewhere = try await login(unbound, device: nil).get()
        #expect(try caller(Credentials(authorization: elsewhere.token)).device == nil)

        let terminal = try caller(Credentials(apiKey: own))
        for device in ["T1", nil] {
            let signedIn = try await login(terminal, device: device).get()
            #expect(try caller(Credentials(authorization: signedIn.token)).device == "T1")
            let again = try identity.service.renew(Credentials(authorization: signedIn.token)).get()
            #expect(try caller(Credentials(authorization: again.token, device: "T1")).device == "T1")
        }
    }
}
