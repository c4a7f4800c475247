import Models

@testable import DataStore

/// Nothing waits for ever without a reason that a person can read.
struct SimVisibility {
    let oracle: SimOracle
    let device: SimDevice

    func run() throws {
        try device.core.read { transaction in
            let entries = try transaction.outbox(limit: 10_000)
            let behind = try behindParked(entries, transaction)
            for entry in entries {
                let name = "\(device.name)'s \(entry.kind.name) of \(entry.model) \(entry.id)"
                let explanation = try transaction.explain(model: entry.model, id: entry.id)
                if entry.state == .parked {
                    if entry.reason?.isEmpty ?? true { oracle.fail("\(name) is parked for no reason") }
                    continue
                }
                if !behind.contains(entry.order) { oracle.fail("\(name) waits for nothing that is parked") }
                guard let first = explanation.entries.first, first.state != .parked else { continue }
                if explanation.holds.isEmpty { oracle.fail("\(name) waits, and nothing says why: \(explanation)") }
            }
            try orphansAreCounted(transaction)
        }
    }

    /// All that cannot go before something parked is decided: its transaction, what depends on that, and so on.
    private func behindParked(_ entries: [OutboxEntry], _ transaction: StoreTransaction) throws -> Set<Int64> {
        var open = entries.filter { $0.state == .parked }.map(\.order)
        var found: Set<Int64> = []
        while let order = open.popLast() {
            guard found.insert(order).inserted else { continue }
            open += try transaction.unit(of: order).map(\.order)
            open += try transaction.dependants(of: order).map(\.order)
        }
        return found
    }

    /// What names a parent that is gone is counted, and says so itself.
    private func orphansAreCounted(_ transaction: StoreTransaction) throws {
        let orphans = try transaction.query(model: "Pallet").filter { pallet in
            guard let bay = SimSchema.bay(of: pallet) else { return false }
            return try transaction.get(model: "Bay", id: bay) == nil
        }
        let counted = try transaction.orphanCount(model: "Pallet")
        if counted != orphans.count {
            oracle.fail("\(device.name) counts \(counted) pallets without a bay of \(orphans.count)")
        }
        for orphan in orphans {
            let missing = try transaction.explain(model: "Pallet", id: orphan.id).missingParents
            if missing.isEmpty { oracle.fail("\(device.name) does not say that Pallet \(orphan.id) has no bay") }
        }
    }
}
