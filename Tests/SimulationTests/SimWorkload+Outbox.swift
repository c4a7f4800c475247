import Basics
import Models

@testable import DataStore

/// What people do with what waits or was refused: what `bincount outbox` and an app can do, at any moment.
extension SimWorkload {
    /// One look at the outbox, or one act on it.
    func decide(_ device: SimDevice) {
        guard device.isUp, let entries = try? device.core.read({ try $0.outbox() }) else { return }
        let parked = entries.filter { $0.state == .parked }
        // Who looks after his outbox begins with what was refused.
        let entry = parked.isEmpty || world.chance(400) ? anyOf(entries) : anyOf(parked)
        switch world.below(12) {
        case 0, 1: look(device)
        case 2: device.write { try Self.retryAll($0) }
        case 3: if let entry { retry(device, entry) }
        case 4, 5, 6: if let entry { edit(device, entry) }
        case 7, 8, 9: if let entry { revert(device, entry) }
        default: exportOrImport(device)
        }
    }

    /// Somebody goes through all that is parked.
    func decideAll(_ device: SimDevice) {
        look(device)
        for entry in (try? device.core.read({ try $0.outbox(state: .parked) })) ?? [] {
            switch world.below(10) {
            case 0..<4: retry(device, entry)
            case 4..<8: revert(device, entry)
            default: edit(device, entry)
            }
        }
    }

    private func anyOf(_ entries: [OutboxEntry]) -> OutboxEntry? { entries.isEmpty ? nil : world.pick(entries) }

    /// Refusals that say what a person may do instead.
    static func isRefusal(_ error: StoreError) -> Bool {
        switch error {
        case .entryNotAvailable, .partOfUnit, .createOnly, .unknownEntry: true
        // An entry that names a parent which is gone since is edited no more.
        case .missingParent: true
        default: false
        }
    }

    /// Lists all, page by page, and looks at each: what is shown must agree.
    private func look(_ device: SimDevice) {
        guard device.isUp else { return }
        do {
            try device.core.read { transaction in
                var listed = OutboxStatus()
                var after = Int64.min
                while case let page = try transaction.outbox(after: after, limit: 3), let last = page.last {
                    for entry in page {
                        listed.add(1, entry.state)
                        try look(entry, transaction, device)
                    }
                    after = last.order
                }
                if listed != device.outbox {
                    oracle.fail("\(device.name) lists \(listed), it counts \(device.outbox)")
                }
            }
        } catch {
            oracle.fail("\(device.name) cannot show its outbox: \(error)")
        }
    }

    private func look(_ entry: OutboxEntry, _ transaction: StoreTransaction, _ device: SimDevice) throws {
        let name = "\(device.name)'s \(entry.kind.name) of \(entry.model) \(entry.id)"
        _ = try transaction.difference(entry)
        if try !transaction.unit(of: entry.order).contains(entry) { oracle.fail("\(name) is not of its own unit") }
        if try transaction.dependants(of: entry.order).contains(entry) { oracle.fail("\(name) waits for itself") }
        let explanation = try transaction.explain(model: entry.model, id: entry.id)
        if !explanation.entries.contains(entry) { oracle.fail("\(name) is not explained: \(explanation)") }
        if entry.state == .parked, entry.reason?.isEmpty ?? true { oracle.fail("\(name) is parked for no reason") }
    }

    private func retry(_ device: SimDevice, _ entry: OutboxEntry) {
        device.write(refusing: Self.isRefusal) { try $0.retryOutbox(entry.order) }
    }

    private static func retryAll(_ transaction: StoreTransaction) throws {
        while case let parked = try transaction.outbox(state: .parked, limit: 5), !parked.isEmpty {
            for entry in parked { try transaction.retryOutbox(entry.order) }
        }
    }

    /// Takes an entry back, alone, with its transaction, or after all that waits for it.
    private func revert(_ device: SimDevice, _ entry: OutboxEntry) {
        let isWhole = world.chance(600)
        let withDependants = world.chance(300)
        var gone: [OutboxEntry] = []
        let done = device.write(refusing: Self.isRefusal) { transaction in
            gone = []
            var orders = [entry.order]
            if withDependants { orders = try transaction.dependants(of: entry.order).map(\.order).reversed() + orders }
            for order in orders {
                // What went with another one is gone already.
                if gone.contains(where: { $0.order == order }) { continue }
                let before = try transaction.outbox()
                let reverted = Set(try transaction.revertOutbox(order, wholeUnit: isWhole))
                gone += before.filter { reverted.contains($0.order) }
                let left = before.map(\.order).filter { !reverted.contains($0) }
                if try transaction.outbox().map(\.order) != left {
                    oracle.fail("\(device.name) took back \(reverted.sorted()) and something else")
                }
            }
        }
        if done { oracle.tookBack(gone, by: device) }
    }

    /// Sends something else in place of an entry's values.
    private func edit(_ device: SimDevice, _ entry: OutboxEntry) {
        guard let (edit, fields) = newValues(for: entry, "\(device.name)/e\(oracle.nextStep())") else { return }
        var before: OutboxEntry?
        var later: [OutboxEntry] = []
        let done = device.write(refusing: Self.isRefusal) { transaction in
            before = try transaction.outboxEntry(entry.order)
            guard let before else { return }
            later = try transaction.outbox(model: entry.model, id: entry.id).filter { $0.order > entry.order }
            oracle.looked(at: before, try transaction.difference(before), on: device)
            try transaction.editOutbox(entry.order, fields: fields)
        }
        if done, let before { oracle.edited(before, edit, later: later, by: device) }
    }

    private func newValues(for entry: OutboxEntry, _ text: String) -> (SimEdit, JSONObject)? {
        if entry.kind == .delete { return nil }
        let field = world.pick(SimSchema.sharedFields)
        switch entry.model {
        case "Card":
            guard case .object(var box)? = entry.fields["box"] else { return nil }
            box[field] = .string(text)
            return (.value(field: field, .text(text)), JSONObject([(key: "box", value: .object(box))]))
        case "Shelf":
            guard let count = entry.fields["count"], FieldOperation(count) != nil else { return nil }
            let amount = Int64(world.below(9)) - 2
            return (
                .amount(field: "count", amount),
                JSONObject([(key: "count", value: FieldOperation.increment(.integer(amount)).json)])
            )
        default:
            guard SimSchema.shared.contains(entry.model) else { return nil }
            return (.value(field: field, .text(text)), JSONObject([(key: field, value: .string(text))]))
        }
    }
}
