import Basics

/// What the documents and variables of live subscriptions take in memory, by caller.
///
/// A document that several subscriptions of one caller share counts once, as it is kept once. Confined like the
/// ``SubscriptionRegistry``.
struct SubscriptionMemory {
    private struct Kept: Hashable {
        let payer: String
        let document: ObjectIdentifier
    }

    /// How many subscriptions keep a document; those keep it alive, so that its identity stays its own.
    private var users: [Kept: Int] = [:]
    private(set) var bytes: [String: Int] = [:]

    /// Whether a caller may have one more subscription.
    func admits(_ member: Subscription, limit: Int) -> Bool {
        let known = users[kept(member)] != nil
        let more = member.variableBytes + (known ? 0 : member.request.document.weight)
        return bytes[member.payer, default: 0] + more <= limit
    }

    mutating func add(_ member: Subscription) {
        let count = users[kept(member), default: 0]
        users[kept(member)] = count + 1
        bytes[member.payer, default: 0] += member.variableBytes + (count == 0 ? member.request.document.weight : 0)
    }

    mutating func remove(_ member: Subscription) {
        let count = users[kept(member), default: 0]
        users[kept(member)] = count > 1 ? count - 1 : nil
        let left =
            bytes[member.payer, default: 0] - member.variableBytes
            - (count == 1 ? member.request.document.weight : 0)
        bytes[member.payer] = left > 0 ? left : nil
    }

    private func kept(_ member: Subscription) -> Kept {
        Kept(payer: member.payer, document: ObjectIdentifier(member.request.document))
    }
}
