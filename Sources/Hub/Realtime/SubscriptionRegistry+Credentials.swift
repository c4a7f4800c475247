import AppSync
import Basics

extension SubscriptionRegistry {
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
