import AppSync
import Basics
import Models
import SQLite

@testable import Hub

/// Tokens that stand for any caller, and can be withdrawn or changed.
final class TestTokens: TokenValidator {
    private let callers = Locked<[String: Caller]>([:])

    /// Makes a token good for a caller, or no good.
    func set(_ token: String, _ caller: Caller?) { callers.withLock { $0[token] = caller } }

    func validate(_ token: PresentedToken, now: Int64) -> TokenVerdict {
        guard let caller = callers.current[token.text] else { return .notMine }
        return .caller(caller)
    }

    func refreshed(_ caller: Caller, now: Int64) -> Result<Caller, AuthRefusal>? {
        callers.current.values.first { $0.fingerprint == caller.fingerprint }.map { .success($0) }
            ?? .failure(.token("withdrawn"))
    }
}

/// A hub in memory whose callers come with tokens of any provider, and the subscriptions to it.
final class TokenFixture {
    let core: HubCore
    let tokens = TestTokens()
    let authenticator: Authenticator
    let time = ManualTimeSource()
    let lines = Locked<[String]>([])
    var registry: SubscriptionRegistry
    private(set) var events: [CommittedChange] = []
    private(set) var inbox: [UInt64: [JSONValue]] = [:]

    init(
        _ schema: Schema, keys: [String] = [], level: LogLevel = .debug, authenticator: Authenticator? = nil
    ) throws {
        let authenticator =
            try authenticator
            ?? Authenticator(keys: try APIKeys(keys), stored: NoStoredKeys(), validators: [tokens])
        self.authenticator = authenticator
        let lines = lines
        core = try HubCore(
            engine: try HubEngine(schema, authenticator), schema: schema, connection: try Connection.memory(),
            time: time, random: SeededRandom(seed: 1),
            log: Log(level: level) { _, line in lines.withLock { $0.append(line) } })
        registry = SubscriptionRegistry(core: core)
    }

    /// Lets a caller in under a token that is his fingerprint.
    @discardableResult
    func admit(
        _ name: String, _ provider: AuthProvider = .userPools, person: String? = nil, device: String? = nil,
        groups: Set<String> = [], claims: [String: JSONValue] = [:], expires: Int64? = nil
    ) -> String {
        tokens.set(
            name,
            Caller(
                groups: groups, person: person, device: device, provider: provider, claims: claims, expires: expires,
                source: .issuer("test", key: nil), fingerprint: name))
        return name
    }

    /// Sends one request under a token and publishes what it changed.
    @discardableResult
    func send(
        _ token: String?, _ query: String, _ variables: JSONValue = [:], bincount: JSONValue? = nil
    ) -> JSONValue {
        var body: JSONObject = ["query": .string(query), "variables": variables]
        if let bincount { body["extensions"] = ["bincount": bincount] }
        let request = HubRequest(Credentials(authorization: token), body: JSONValue.object(body).bytes)
        let outcome = core.execute([request])
        events += outcome.events
        perform(registry.publish(outcome.events))
        return (try? JSONValue(parsing: outcome.answers[0].body)) ?? .null
    }

    func connect(_ connection: UInt64, _ token: String) {
        registry.opened(connection, .object(RealtimeAuthorization(host: "h", token: token)))
        perform(registry.received(connection, Array("{\"type\":\"connection_init\"}".utf8)))
    }

    func start(_ connection: UInt64, _ id: String, _ token: String, _ query: String, _ variables: JSONValue = [:]) {
        let data: JSONValue = ["query": .string(query), "variables": variables]
        let authorization = RealtimeAuthorization(host: "h", token: token)
        let frame = RealtimeFrame.start(id: id, data: data.text, authorization: authorization)
        perform(registry.received(connection, frame.bytes))
    }

    func perform(_ actions: [RealtimeAction]) {
        for action in actions {
            guard case .send(let targets, let frame) = action else { continue }
            let json = (try? JSONValue(parsing: frame)) ?? .null
            for target in targets { inbox[target, default: []].append(json) }
        }
    }

    /// The frames that a connection got since this was last asked.
    func take(_ connection: UInt64) -> [JSONValue] { inbox.removeValue(forKey: connection) ?? [] }

    /// Puts a row where no right is asked.
    @discardableResult
    func plant(_ model: String, _ values: [String: Value], version: Int64 = 1) throws -> HubRow {
        let info = core.engine.schema.model(model)!
        let row = HubRow(
            rowID: 0, values: info.schema.fields.map { values[$0.name] ?? .null }, version: version, deleted: false,
            lastChangedAt: core.state.stamp)
        _ = try core.tables[info.index].insert(row.values, version: 1, stamp: core.state.stamp, on: core.connection)
        return row
    }
}
