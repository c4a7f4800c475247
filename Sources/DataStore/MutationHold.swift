import Basics
import Models

/// What keeps a waiting change from being sent now.
public indirect enum MutationHold: Sendable, Hashable, CustomStringConvertible {
    /// The create of a record that it refers to must arrive, or be decided, before.
    case parent(OutboxEntry)
    /// An earlier change of the same record must be answered before.
    case earlier(OutboxEntry)
    /// Its model is not sent by the policy that holds.
    case policy(SyncPolicy)
    /// This person made it, and the driver's token is for another.
    case person(String)
    /// It failed for now, and is tried again then; known to the process that synchronises.
    case retry(DateTime)
    /// It goes as one with this change, which is held.
    case unit(OutboxEntry, MutationHold)

    /// What the change does, without its subject: `waits for the create of Pass p, which is parked`.
    public var description: String {
        switch self {
        case .parent(let entry), .earlier(let entry): "waits for \(entry.title), which is \(entry.state.name)"
        case .policy(let policy): "waits until its model is sent, whose policy is \(policy.rawValue)"
        case .person(let person): "waits for \(person) to sign in, who made it"
        case .retry(let time): "is tried again at \(time.iso8601)"
        case .unit(let entry, let hold): "goes as one with \(entry.title), which \(hold)"
        }
    }
}

extension OutboxEntry {
    fileprivate var title: String { "the \(kind.name) of \(model) \(id)" }
}

/// What is known of sending outside of the file.
struct SendingKnowledge: Sendable {
    /// When entries that failed for now are tried again.
    var retries: [Int64: DateTime] = [:]
    /// Whether changes made under a name can be sent.
    var maySend: @Sendable (_ identity: String?) -> Bool = { _ in true }
    /// Whether nothing is ever fetched into the store.
    var isLocalOnly = false
}

extension StoreCore {
    /// When entries that failed for now are tried again, by their numbers.
    func retryTimes() -> [Int64: DateTime] {
        let (now, uptime) = (options.time.now().milliseconds, options.time.uptime())
        return retryAt.filter { $0.value > uptime }.mapValues { DateTime(milliseconds: now + $0 - uptime) }
    }
}

extension StoreTransaction {
    /// What holds the first change of a record, or one that goes as one with it.
    func holds(of entry: OutboxEntry, _ knowledge: SendingKnowledge) throws -> [MutationHold] {
        guard entry.state == .queued || entry.state == .sealed else { return [] }
        let unit = try unit(of: entry.order)
        let orders = Set(unit.map(\.order))
        var result = try ownHolds(of: entry, orders, knowledge)
        for other in unit where other.order != entry.order {
            result += try ownHolds(of: other, orders, knowledge).map { .unit(other, $0) }
        }
        return result
    }

    private func ownHolds(
        of entry: OutboxEntry, _ unit: Set<Int64>, _ knowledge: SendingKnowledge
    ) throws -> [MutationHold] {
        guard let table = context.tables[entry.model] else { return [] }
        var result: [MutationHold] = []
        if !table.policy.sends { result.append(.policy(table.policy)) }
        if let person = entry.identity, !knowledge.maySend(person) { result.append(.person(person)) }
        let earlier = try outbox(model: entry.model, id: entry.id).last { $0.order < entry.order }
        if let earlier { result.append(.earlier(earlier)) }
        // Creates of the unit itself are carried out with it or not at all.
        result += try holders(of: entry, table).filter { !unit.contains($0.order) }.map { .parent($0) }
        if let time = knowledge.retries[entry.order] { result.append(.retry(time)) }
        return result
    }
}
