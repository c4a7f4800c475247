import Basics
import DataStore
import Models
import Testing
import WarehouseModels

@testable import InventoryControl

/// A server that compares versions, as the hub does for the lease, and two desks' stores that send to it when told.
final class TwoDesks {
    struct Member {
        let core: StoreCore
        var desk: Desk
        /// Changes taken from the outbox whose answers are still on their way.
        var sent: [(entry: OutboxEntry, record: Record)] = []
    }

    var now = morning
    private(set) var jobs: [String: [ExportJob]] = [:]
    var members: [String: Member] = [:]
    /// The models of which the server refuses every change.
    var refused: Set<String> = []
    private var stored: [String: (record: Record, version: Int64)] = [:]

    init(_ codes: String...) throws {
        for code in codes { try start(code) }
    }

    /// A desk's process begins, on an empty store.
    func start(_ code: String) throws {
        var options = StoreOptions(time: ManualTimeSource(morning), checksParents: false)
        options.policies = syncPolicies(for: .desk)
        let core = try StoreCore(schema: warehouse, at: .memory, options: options)
        members[code] = Member(core: core, desk: TwoDesks.desk(code))
    }

    private static func desk(_ code: String) -> Desk {
        Desk(code: code, connectors: [.csv(directory: "/nowhere")], sha256: hex)
    }

    /// The server and every store have a record.
    func put(_ record: Record) throws {
        stored[record.schema.name + record.id] = (record, 1)
        try answer()
    }

    /// The process ends without a word and begins again on its store.
    func crash(_ code: String) { members[code]?.desk = TwoDesks.desk(code) }

    /// Steps one desk; gives who works, nil for this one.
    @discardableResult
    func step(_ code: String) throws -> String? {
        let member = try #require(members[code])
        var desk = member.desk
        let outcome = try member.core.write(as: nil) { try desk.step(in: $0, now: now) }
        members[code]?.desk = desk
        jobs[code, default: []] += outcome.jobs
        return outcome.leader
    }

    /// What a desk has written reaches the server; the answers do not arrive yet.
    func send(_ code: String) throws {
        guard let member = members[code] else { return }
        while let batch = try member.core.nextMutations(limit: 100), !batch.entries.isEmpty {
            for entry in batch.entries {
                let record = try #require(try member.core.read { try $0.get(model: entry.model, id: entry.id) })
                members[code]?.sent.append((entry, record))
            }
        }
        let sent = members[code]?.sent ?? []
        for (entry, record) in sent {
            let key = entry.model + entry.id
            let known = stored[key]
            let isFresh =
                !refused.contains(entry.model)
                && (entry.kind == .create ? known == nil : known?.version == entry.baseVersion)
            if isFresh { stored[key] = (record, (known?.version ?? 0) + 1) }
            answers.append((code, entry, isFresh, stored[key]))
        }
        members[code]?.sent = []
    }

    private var answers: [(String, OutboxEntry, Bool, (record: Record, version: Int64)?)] = []

    /// The answers arrive, and every store hears of what the server has.
    func answer() throws {
        for (code, entry, isFresh, now) in answers {
            let remote = now.map { RemoteRecord(record: $0.record, version: $0.version, lastChangedAt: 1) }
            guard let remote else { continue }
            let outcome: MutationResult.Outcome =
                isFresh
                ? .applied(remote)
                : refused.contains(entry.model) ? .refused(code: "Unauthorized", message: "no") : .conflict(remote)
            try members[code]?.core.settle([MutationResult(order: entry.order, outcome: outcome)])
        }
        answers = []
        let all = stored.values.map { RemoteRecord(record: $0.record, version: $0.version, lastChangedAt: 1) }
        for member in members.values { _ = try member.core.applyRemote(all) }
    }

    func exchange() throws {
        for code in members.keys.sorted() { try send(code) }
        try answer()
    }

    /// Which of the desks work, stepped once each.
    func working() throws -> [String] {
        try members.keys.sorted().filter { try step($0) == nil }
    }

    var lease: DeskLease? { stored["DeskLeasedesk"].flatMap { try? DeskLease($0.record) } }
}
