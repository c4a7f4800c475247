import AppSync
import Basics
import GraphQL
import Models

/// AppSync's realtime protocol and `graphql-transport-ws` as a state machine: frames and committed changes in, frames out.
///
/// Confined to the executor of the ``HubCore`` it was made with, so that a subscription sees every commit after its
/// `start_ack` and none twice. Connections are named by numbers that the shell gives.
public struct SubscriptionRegistry {
    struct GroupKey: Hashable {
        let root: RootField
        let signature: ByteText
    }

    var core: HubCore
    var connections: [UInt64: RealtimeConnection] = [:]
    /// Queries and mutations that nobody has taken yet.
    var operations: [RealtimeOperation] = []
    var lastOperation: UInt64 = 0
    var starts = 0
    /// What callers may still make commits wait for by the documents and events of their subscriptions. What relations in
    /// events cost is not in it: that has a budget, and ends the relations and not the subscription.
    var allowance: CommitTimeAllowance
    var memory = SubscriptionMemory()
    var groups: [GroupKey: SubscriptionGroup] = [:]
    /// The groups of each model and kind of change, in the order in which they began.
    var keysByRoot: [RootField: [GroupKey]] = [:]
    /// Which state of the credentials the subscribers' rights were worked out from, and when the first of them end.
    var knownGeneration: UInt64 = 0
    var nextExpiry: Int64?

    /// Makes an empty registry over a hub.
    public init(core: HubCore) {
        self.core = core
        allowance = CommitTimeAllowance(capacity: core.engine.limits.subscriptionMilliseconds)
        knownGeneration = core.engine.authenticator.generation
    }

    /// How many connections are open.
    public var connectionCount: Int { connections.count }
    /// How many subscriptions are live.
    public var subscriptionCount: Int { groups.values.reduce(0) { $0 + $1.members.count } }

    /// A client has connected; nothing is said until its `connection_init`.
    ///
    /// - Parameters:
    ///   - id: names the connection in the log.
    ///   - address: where it comes from, for the log.
    public mutating func opened(
        _ connection: UInt64, _ credentials: RealtimeCredentials, _ dialect: RealtimeDialect = .appSync,
        id: String? = nil, from address: String? = nil
    ) {
        connections[connection] = RealtimeConnection(dialect, credentials, limits, id: id, now: core.time.uptime())
        connections[connection]?.address = address
    }

    var limits: HubLimits { core.engine.limits }

    /// A connection has ended.
    public mutating func closed(_ connection: UInt64) {
        guard let ended = connections.removeValue(forKey: connection) else { return }
        for (id, key) in ended.subscriptions { remove(connection, id, key) }
    }

    /// A text frame came.
    public mutating func received(_ connection: UInt64, _ bytes: [UInt8]) -> [RealtimeAction] {
        guard let dialect = connections[connection]?.dialect else { return [] }
        guard connections[connection]?.takes(frameAt: core.time.uptime()) == true else {
            return [.close(connection, code: 1008, reason: "too many frames")]
        }
        switch dialect {
        case .appSync: return receivedFrame(connection, bytes)
        case .transport: return receivedMessage(connection, bytes)
        }
    }

    /// The queries and mutations that have come since this was asked last; each is to be executed and its answer given to
    /// ``answered(_:_:)``.
    public mutating func takeOperations() -> [RealtimeOperation] {
        defer { operations = [] }
        return operations
    }

    /// What every connection gets at least once a minute.
    public mutating func keepAlive() -> [RealtimeAction] {
        var actions = refreshedRights()
        for (dialect, frame) in [
            (RealtimeDialect.appSync, RealtimeFrame.keepAlive.bytes),
            (.transport, GraphQLTransportFrame.ping(payload: nil).bytes),
        ] {
            let live = connections.filter { $0.value.isAcknowledged && $0.value.dialect == dialect }.keys.sorted()
            if !live.isEmpty { actions.append(.send(to: live, frame: frame)) }
        }
        return actions
    }

    /// Ends connections that have not said who they are in time, and those that have lived long enough. To be called every
    /// few seconds.
    public func sweep() -> [RealtimeAction] {
        let now = core.time.uptime()
        return connections.sorted { $0.key < $1.key }.compactMap { number, connection in
            let age = now - connection.openedAt
            if !connection.isAcknowledged, age >= limits.handshakeMilliseconds {
                let code = connection.dialect == .appSync ? 1008 : GraphQLTransportFrame.CloseCode.initialisationTimeout
                return .close(number, code: code, reason: "Connection initialisation timeout")
            }
            guard age >= limits.connectionMilliseconds else { return nil }
            return .close(number, code: connection.dialect.comeBack, reason: "the connection has lived its time")
        }
    }

    /// Ends every connection, so that clients come back once the hub does.
    public func shutdown() -> [RealtimeAction] {
        connections.sorted { $0.key < $1.key }.map {
            .close($0.key, code: $0.value.dialect.comeBack, reason: "the hub stops")
        }
    }

    // MARK: Subscriptions

    func caller(_ object: RealtimeAuthorization, on connection: UInt64) -> Result<Caller, AuthRefusal> {
        core.engine.caller(
            Credentials(object), now: core.time.now().milliseconds, request: connections[connection]?.id,
            from: connections[connection]?.address)
    }

    /// How many subscriptions were started since this was asked last; those that a new schema starts anew do not count.
    mutating func takeStarts() -> Int {
        defer { starts = 0 }
        return starts
    }

    mutating func add(_ member: Subscription, to group: SubscriptionGroup, _ key: GroupKey) {
        if groups[key] == nil {
            groups[key] = group
            keysByRoot[key.root, default: []].append(key)
        }
        groups[key]?.members.append(member)
        memory.add(member)
        watch(member.request.rights.caller)
        connections[member.connection]?.subscriptions[member.id] = key
    }

    /// Ends one subscription, if there is one of that id.
    mutating func end(_ connection: UInt64, _ id: String) {
        if let key = connections[connection]?.subscriptions.removeValue(forKey: id) { remove(connection, id, key) }
    }

    mutating func remove(_ connection: UInt64, _ id: String, _ key: GroupKey) {
        guard let index = groups[key]?.members.firstIndex(where: { $0.connection == connection && $0.id == id }),
            let member = groups[key]?.members.remove(at: index)
        else { return }
        memory.remove(member)
        if groups[key]?.members.isEmpty == true {
            groups[key] = nil
            keysByRoot[key.root]?.removeAll { $0 == key }
        }
    }
}

extension RealtimeDialect {
    /// The close code after which its clients come back: AppSync's do so after 1011, which graphql-ws takes for final.
    var comeBack: UInt16 {
        self == .appSync ? 1011 : GraphQLTransportFrame.CloseCode.serviceRestart
    }
}
