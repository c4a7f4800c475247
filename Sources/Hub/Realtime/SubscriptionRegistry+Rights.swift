import AppSync
import Basics
import Models

/// Rights that change while subscriptions are open: a key is revoked or runs out, a person moves to another group.
extension SubscriptionRegistry {
    /// Ends the subscriptions of those who may not read any more what they subscribed to, or not as much of it, where
    /// credentials have changed or run out since this was last asked.
    ///
    /// Who lost the right hears `error` (Unauthorized) and `complete`; whose right is another now, `complete` alone: he
    /// starts again under what holds now, and his next sync lets go of what he may not see any more.
    mutating func refreshedRights() -> [RealtimeAction] {
        let now = core.time.now().milliseconds
        let generation = core.engine.authenticator.generation
        guard generation != knownGeneration || nextExpiry.map({ $0 <= now }) ?? false else { return [] }
        knownGeneration = generation
        nextExpiry = nil
        var ended: [(member: Subscription, key: GroupKey, errors: [ResponseError])] = []
        for key in groups.keys {
            guard let members = groups[key]?.members else { continue }
            for (index, member) in members.enumerated() {
                let caller = member.request.rights.caller
                switch core.engine.authenticator.refreshed(caller, now: now) {
                case .failure(let refusal):
                    ended.append((member, key, [refusal.realtimeError(atConnect: false)]))
                    note(member, key, refusal.detail.isEmpty ? refusal.message : refusal.detail)
                case .success(let current):
                    watch(current)
                    guard current != caller else { continue }
                    let rights = core.rights(of: current)
                    let sight = rights.sight(key.root.model, .listen)
                    if sight.rows.isNone || current.isDenied(key.root) {
                        let denied = ResponseError(
                            "Not Authorized to access \(key.root.name) on type Subscription",
                            errorType: ErrorType.unauthorized, errorCode: 401)
                        ended.append((member, key, [denied]))
                        note(member, key, "no rule gives listen any more")
                    } else if sight == member.sight {
                        groups[key]?.members[index].request.rights = rights
                    } else {
                        ended.append((member, key, []))
                    }
                }
            }
        }
        ended.sort { ($0.member.connection, $0.member.id) < ($1.member.connection, $1.member.id) }
        var actions: [RealtimeAction] = []
        for (member, key, errors) in ended {
            connections[member.connection]?.subscriptions[member.id] = nil
            remove(member.connection, member.id, key)
            for frame in member.ending(errors) { actions.append(.send(to: [member.connection], frame: frame)) }
        }
        return actions + closedConnections(now)
    }

    /// Remembers when a subscriber's credentials run out.
    mutating func watch(_ caller: Caller) {
        guard let expires = caller.expires else { return }
        nextExpiry = min(nextExpiry ?? expires, expires)
    }

    private func note(_ member: Subscription, _ key: GroupKey, _ reason: String) {
        let act = AccessLog.Act(
            operation: key.root.name, model: core.engine.schema.models[key.root.model].schema.name,
            request: member.request.id)
        core.engine.accessLog.refused(member.request.rights.caller, act, reason)
    }
}
