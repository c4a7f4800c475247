import AppSync
import Basics

extension SubscriptionRegistry {
    /// By which credentials a frame that came will be judged, with the request that it brings; nil where by none.
    func credentials(shownBy bytes: [UInt8], on connection: UInt64) -> (credentials: Credentials, request: [UInt8])? {
        guard let state = connections[connection] else { return nil }
        let known = state.credentials.object
        switch (state.dialect, state.isAcknowledged) {
        case (.transport, true): return (Credentials(known), [])
        case (.transport, false):
            guard case .connectionInit(let payload)? = GraphQLTransportFrame(parsing: bytes) else { return nil }
            let shown = Credentials(RealtimeAuthorization(initPayload: payload))
            return (shown.isEmpty ? Credentials(known) : shown, [])
        case (.appSync, let isAcknowledged):
            switch try? RealtimeFrame(parsing: bytes) {
            case .connectionInit?:
                guard !isAcknowledged, Credentials(known).isEmpty,
                    let payload = (try? JSONValue(parsing: bytes))?["payload"]?.object
                else { return (Credentials(known), []) }
                return (Credentials(RealtimeAuthorization(initPayload: payload)), [])
            case .start(_, let data, let authorization)?: return (Credentials(authorization), Array(data.utf8))
            // What cannot be read may be a start of Apollo's, by whoever connected.
            case nil: return isAcknowledged ? (Credentials(known), []) : nil
            default: return nil
            }
        }
    }

    /// Notes who has connected.
    mutating func welcome(_ connection: UInt64, _ caller: Caller) {
        connections[connection]?.caller = caller
        watch(caller)
    }

    /// Closes the connections whose own credentials hold no more.
    mutating func closedConnections(_ now: Int64) -> [RealtimeAction] {
        var actions: [RealtimeAction] = []
        for number in connections.keys.sorted() {
            guard let caller = connections[number]?.caller else { continue }
            switch core.engine.authenticator.refreshed(caller, now: now) {
            case .success(let current): watch(current)
            case .failure:
                // 1008 is a close after which clients of AppSync come back, with other credentials where they have them.
                actions.append(.close(number, code: 1008, reason: "the credentials are not good any more"))
            }
        }
        return actions
    }
}
