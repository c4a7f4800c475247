import AppSync
import Basics
import GraphQL
import Models

/// AppSync's realtime protocol as a state machine: frames and committed changes in, frames out.
///
/// Confined to the executor of the ``HubCore`` it was made with, so that a subscription sees every commit after its
/// `start_ack` and none twice. Connections are named by numbers that the shell gives.
public struct SubscriptionRegistry {
    /// Subscriptions that one connection may have.
    public static let subscriptionLimit = 200

    struct Connection {
        let credentials: RealtimeCredentials
        var isAcknowledged = false
        /// The group of each subscription by its id.
        var subscriptions: [String: GroupKey] = [:]
    }

    struct GroupKey: Hashable {
        let root: RootField
        let signature: String
    }

    let core: HubCore
    var connections: [UInt64: Connection] = [:]
    var groups: [GroupKey: SubscriptionGroup] = [:]
    /// The groups of each model and kind of change, in the order in which they began.
    private(set) var keysByRoot: [RootField: [GroupKey]] = [:]
    /// Which state of the credentials the subscribers' rights were worked out from, and when the first of them end.
    var knownGeneration: UInt64 = 0
    var nextExpiry: Int64?

    /// Makes an empty registry over a hub.
    public init(core: HubCore) {
        self.core = core
        knownGeneration = core.engine.authenticator.generation
    }

    /// How many connections are open.
    public var connectionCount: Int { connections.count }
    /// How many subscriptions are live.
    public var subscriptionCount: Int { groups.values.reduce(0) { $0 + $1.members.count } }

    /// A client has connected; nothing is said until its `connection_init`.
    public mutating func opened(_ connection: UInt64, _ credentials: RealtimeCredentials) {
        connections[connection] = Connection(credentials: credentials)
    }

    /// A connection has ended.
    public mutating func closed(_ connection: UInt64) {
        guard let ended = connections.removeValue(forKey: connection) else { return }
        for (id, key) in ended.subscriptions { remove(connection, id, key) }
    }

    /// A text frame came.
    public mutating func received(_ connection: UInt64, _ bytes: [UInt8]) -> [RealtimeAction] {
        guard let state = connections[connection] else { return [] }
        let frame: RealtimeFrame
        do throws(JSONError) {
            frame = try RealtimeFrame(parsing: bytes)
        } catch {
            // Before the handshake nothing but `connection_init` is heard.
            guard state.isAcknowledged else { return [] }
            return [
                refuse(
                    connection, nil, ErrorType.badRequestException, "The frame cannot be read: \(error.message)", 400)
            ]
        }
        switch frame {
        case .connectionInit: return handshake(connection, state)
        case _ where !state.isAcknowledged: return []
        case .start(let id, let data, let authorization): return start(connection, id, data, authorization)
        case .stop(let id):
            if let key = connections[connection]?.subscriptions.removeValue(forKey: id) { remove(connection, id, key) }
            return [send(connection, .complete(id: id))]
        case .unknown(let type, let id):
            if type == "connection_terminate" { return [.close(connection, code: 1000, reason: "")] }
            return [
                refuse(
                    connection, id, ErrorType.unsupportedOperation,
                    "\(printable(type)) not supported through the realtime channel")
            ]
        case .keepAlive: return []
        case .connectionAck, .startAck, .data, .error, .complete, .connectionError:
            return [
                refuse(
                    connection, nil, ErrorType.unsupportedOperation,
                    "a server's frame is not supported through the realtime channel")
            ]
        }
    }

    /// What every connection gets at least once a minute.
    public mutating func keepAlive() -> [RealtimeAction] {
        let live = connections.filter(\.value.isAcknowledged).keys.sorted()
        return refreshedRights() + (live.isEmpty ? [] : [.send(to: live, frame: RealtimeFrame.keepAlive.bytes)])
    }

    /// Ends every connection, so that clients come back once the hub does.
    public func shutdown() -> [RealtimeAction] {
        connections.keys.sorted().map { .close($0, code: 1011, reason: "the hub stops") }
    }

    // MARK: Frames

    private mutating func handshake(_ connection: UInt64, _ state: Connection) -> [RealtimeAction] {
        var failure: ResponseError?
        switch state.credentials {
        case .noProtocol: failure = ResponseError("NoProtocolError", errorCode: 400)
        case .malformed:
            failure = ResponseError("The authorization header is malformed.", errorType: "BadRequest", errorCode: 400)
        case .object(let object):
            if case .failure(let refusal) = caller(object) { failure = refusal.realtimeError(atConnect: true) }
        }
        if let failure {
            return [
                send(connection, .connectionError([failure])),
                .close(connection, code: 1008, reason: "not authorized"),
            ]
        }
        connections[connection]?.isAcknowledged = true
        return [
            send(connection, .connectionAck(timeoutMilliseconds: RealtimeFrame.defaultTimeoutMilliseconds)),
            send(connection, .keepAlive),
        ]
    }

    private mutating func start(
        _ connection: UInt64, _ id: String, _ data: String, _ authorization: RealtimeAuthorization
    ) -> [RealtimeAction] {
        guard let state = connections[connection] else { return [] }
        if state.subscriptions[id] != nil {
            return [
                refuse(connection, id, ErrorType.duplicatedOperation, "The id is in use by another subscription.", 400)
            ]
        }
        guard state.subscriptions.count < Self.subscriptionLimit else {
            return [
                refuse(
                    connection, id, ErrorType.maxSubscriptionsReached,
                    "Max number of \(Self.subscriptionLimit) subscriptions reached")
            ]
        }
        let caller: Caller
        switch self.caller(authorization) {
        case .success(let known): caller = known
        case .failure(let refusal):
            let error = refusal.reason == .missing ? AuthRefusal.key("no credentials") : refusal
            return [send(connection, .error(id: id, errors: [error.realtimeError(atConnect: false)]))]
        }
        do throws(StartFailure) {
            let (key, group, member) = try prepare(connection, id, data, core.rights(of: caller))
            if groups[key] == nil {
                groups[key] = group
                keysByRoot[key.root, default: []].append(key)
            }
            groups[key]?.members.append(member)
            watch(caller)
            connections[connection]?.subscriptions[id] = key
            return [send(connection, .startAck(id: id))]
        } catch {
            return [send(connection, .error(id: id, errors: error.errors))]
        }
    }

    private func caller(_ object: RealtimeAuthorization) -> Result<Caller, AuthRefusal> {
        core.engine.authenticator.caller(Credentials(object), now: core.time.now().milliseconds)
    }

    private struct StartFailure: Error {
        let errors: [ResponseError]

        init(_ message: String, _ type: String? = nil, _ code: Int? = nil) {
            errors = [ResponseError(message, errorType: type, errorCode: code)]
        }

        init(_ failure: RequestFailure) {
            switch failure {
            case .invalid(let found): errors = found
            case .malformed(let message):
                errors = [ResponseError(message, errorType: ErrorType.badRequestException, errorCode: 400)]
            case .refused(let refusal): errors = [refusal.realtimeError(atConnect: false)]
            }
        }
    }

    /// Checks a subscription's document, arguments and rights.
    private func prepare(
        _ connection: UInt64, _ id: String, _ data: String, _ rights: CallerRights
    ) throws(StartFailure) -> (GroupKey, SubscriptionGroup, Subscription) {
        let request: RunnableRequest
        switch core.engine.runnable(Array(data.utf8), rights) {
        case .failure(let failure): throw StartFailure(failure)
        case .success(let runnable): request = runnable
        }
        guard request.operation.kind == .subscription else {
            throw StartFailure(
                "query and mutations are not supported through the realtime channel", ErrorType.unsupportedOperation)
        }
        guard let field = request.operation.roots(request.variables.json).first, let selection = field.selection,
            case .root(let root) = field.definition.source
        else { throw StartFailure("The subscription selects nothing.", ErrorType.badRequestException, 400) }
        let model = core.engine.schema.models[root.model]
        let sight = rights.sight(root.model, .listen)
        guard !sight.rows.isNone else { throw unauthorized(root, rights, "no rule gives listen") }
        var owners: [RowRule] = []
        let filter: RowFilter
        do {
            filter = try core.engine.filter("filter", of: field, model, request.variables)
            try FieldDenied.check(filter.positions, sight, model)
            for name in model.ownerArguments {
                guard let value = try core.engine.argument(name, of: field, request.variables)?.string,
                    let position = model.schema.position(of: name)
                else { continue }
                let rule = RowRule(
                    position: position, isList: model.schema.fields[position].isList, accepted: [value], isOwner: true)
                try FieldDenied.check([position], sight, model)
                // Who may read all rows may look at anybody's; else an owner is the caller himself.
                if case .rows(let rules) = sight.rows,
                    !rules.contains(where: { $0.isOwner && $0.position == position && $0.accepted.contains(value) })
                {
                    throw unauthorized(root, rights, "the owner named is somebody else")
                }
                owners.append(rule)
            }
        } catch let error as InputError {
            throw StartFailure(error.message)
        } catch let error as FieldDenied {
            throw unauthorized(root, rights, "no rule gives the field for listen", field: error)
        } catch {
            throw error as? StartFailure ?? StartFailure("\(error)")
        }
        let key = GroupKey(root: root, signature: field.key + selection.signature)
        let member = Subscription(
            connection: connection, id: id, sight: sight, filter: filter, owners: owners, request: request)
        return (key, SubscriptionGroup(field: field, selection: selection, model: root.model), member)
    }

    private func unauthorized(
        _ root: RootField, _ rights: CallerRights, _ reason: String, field: FieldDenied? = nil
    ) -> StartFailure {
        core.engine.accessLog.refused(
            rights.caller,
            AccessLog.Act(
                operation: root.name, model: core.engine.schema.models[root.model].schema.name, field: field?.field),
            reason)
        let (name, type) = field.map { ($0.field, $0.type) } ?? (root.name, "Subscription")
        return StartFailure("Not Authorized to access \(name) on type \(type)", ErrorType.unauthorized, 401)
    }

    mutating func remove(_ connection: UInt64, _ id: String, _ key: GroupKey) {
        groups[key]?.members.removeAll { $0.connection == connection && $0.id == id }
        if groups[key]?.members.isEmpty == true {
            groups[key] = nil
            keysByRoot[key.root]?.removeAll { $0 == key }
        }
    }

    private func send(_ connection: UInt64, _ frame: RealtimeFrame) -> RealtimeAction {
        .send(to: [connection], frame: frame.bytes)
    }

    private func refuse(
        _ connection: UInt64, _ id: String?, _ type: String, _ message: String, _ code: Int? = nil
    ) -> RealtimeAction {
        send(connection, .error(id: id, errors: [ResponseError(message, errorType: type, errorCode: code)]))
    }
}
