import Basics
import Models

@testable import DataStore

/// What it means for what was acknowledged that somebody decided over entries of an outbox.
extension SimOracle {
    /// Entries were taken back: what they would have changed is nobody's word any more.
    func tookBack(_ entries: [OutboxEntry], by device: SimDevice) {
        for entry in entries {
            // What was never sent never arrives, and what was refused did not; but a restored hub is another one.
            let isCertain = restores == 0 && (entry.attempts == 0 || entry.state == .parked)
            if !isCertain { doubtful.insert(device.name) }
            for (_, value) in values(of: entry) { ledger.decided(value) }
            let isMade = entries.contains { $0.kind == .create && $0.model == entry.model && $0.id == entry.id }
            switch entry.kind {
            case .create: unmade(entry, isCertain: isCertain, by: device)
            case .update:
                takeBackFields(entry, by: device)
                if entry.model == "Shelf", !isMade { takeBackOperations(entry, isCertain: isCertain) }
            case .delete:
                // A change that was waiting when it was deleted went into the delete.
                let key = FieldKey(device: device.name, model: entry.model, id: entry.id, field: "")
                for field in SimSchema.trackedFields {
                    let place = FieldKey(device: device.name, model: entry.model, id: entry.id, field: field)
                    if let write = written[place], write.step < deleted[key] ?? 0 { written[place] = nil }
                }
                deleted[key] = nil
            }
        }
    }

    private func unmade(_ entry: OutboxEntry, isCertain: Bool, by device: SimDevice) {
        created[entry.model]?[entry.id]?[device.name] = nil
        if created[entry.model]?[entry.id]?.isEmpty == true { created[entry.model]?[entry.id] = nil }
        for field in SimSchema.trackedFields {
            written[FieldKey(device: device.name, model: entry.model, id: entry.id, field: field)] = nil
        }
        guard entry.model == "Shelf" else { return }
        if isCertain { ledger.unmade(entry.id, by: device) } else { ledger.forget(entry.id) }
    }

    private func takeBackFields(_ entry: OutboxEntry, by device: SimDevice) {
        let deletion = FieldKey(device: device.name, model: entry.model, id: entry.id, field: "")
        for (field, value) in values(of: entry) {
            let key = FieldKey(device: device.name, model: entry.model, id: entry.id, field: field)
            guard let write = written[key], write.value == value else { continue }
            written[key] = nil
            // A record that was deleted and made again before anybody heard of it is an update.
            if let step = deleted[deletion], step < write.step { deleted[deletion] = nil }
        }
    }

    private func takeBackOperations(_ entry: OutboxEntry, isCertain: Bool) {
        for (field, value) in entry.fields.members {
            switch FieldOperation(value) {
            case .increment(let amount)?:
                ledger.tookBack(
                    SimSchema.units(amount, field), of: entry.id, field, entry.mutationID, isCertain: isCertain)
            case .edit(let adding, let removing)?:
                for mark in (adding + removing).compactMap(\.string) { ledger.unmarked(mark, in: entry.id) }
            case nil: break
            }
        }
    }

    /// A create was not taken in again, since its record is here or was deleted: that stands, and its person was told.
    func leftOut(_ entry: OutboxEntry, by device: SimDevice) {
        for (field, value) in values(of: entry) {
            let key = FieldKey(device: device.name, model: entry.model, id: entry.id, field: field)
            if written[key]?.value == value { written[key] = nil }
        }
        if entry.model == "Shelf" { ledger.forget(entry.id) }
    }

    /// The values of followed fields that an entry brings, each where it stands.
    func values(of entry: OutboxEntry) -> [(field: String, value: Value)] {
        guard SimSchema.shared.contains(entry.model) else { return [] }
        var result: [(String, Value)] = []
        for (name, value) in entry.fields.members {
            if name == "codes" {
                // What is in the list already is nobody's news.
                let known = entry.base[name]?.array ?? []
                result += (value.array ?? []).filter { !known.contains($0) }.map { (name, text($0)) }
            } else if entry.model == "Card" {
                let base = entry.base[name]
                for field in SimSchema.sharedFields where value[field] != base?[field] {
                    result.append((field, text(value[field] ?? .null)))
                }
            } else if SimSchema.sharedFields.contains(name) {
                result.append((name, text(value)))
            }
        }
        return result
    }

    private func text(_ value: JSONValue) -> Value { value.string.map { .text($0) } ?? .null }

    /// Other values go in place of an entry's. What follows it in the same fields stays the last word.
    func edited(_ entry: OutboxEntry, _ edit: SimEdit, later: [OutboxEntry], by device: SimDevice) {
        switch edit {
        case .value(let field, let value):
            let name = entry.model == "Card" ? "box" : field
            ledger.wrote(value, as: entry.identity)
            // Also where a later change of the field is what is shown.
            sawValue(value, entry, field, on: device)
            for (_, old) in values(of: entry).filter({ $0.field == field }) {
                ledger.replace(old, by: value, of: device.name)
            }
            if entry.condition != nil {
                for (_, old) in values(of: entry) {
                    if let expected = ledger.conditions[old] { ledger.expects(expected, for: value) }
                }
            }
            if later.contains(where: { $0.kind == .delete || $0.fields[name] != nil }) { return }
            written[FieldKey(device: device.name, model: entry.model, id: entry.id, field: field)] = (value, nextStep())
        case .amount(let field, let units):
            guard let old = entry.fields[field], case .increment(let amount)? = FieldOperation(old) else { return }
            let isCertain = restores == 0
            ledger.tookBack(
                SimSchema.units(amount, field), of: entry.id, field, entry.mutationID, isCertain: isCertain)
            ledger.added(units, to: entry.id, field, by: device, step: nextStep())
        }
    }

    /// Somebody looked at an entry beside what the backend is known to have.
    func looked(at entry: OutboxEntry, _ differences: [OutboxDifference], on device: SimDevice) {
        guard SimSchema.shared.contains(entry.model) else { return }
        for difference in differences {
            guard let remote = difference.remote else { continue }
            for field in SimSchema.fields(of: difference.field, in: entry.model) {
                sawValue(text(entry.model == "Card" ? remote[field] ?? .null : remote), entry, field, on: device)
            }
        }
    }

    /// Entries of a file wait again that were taken back, or were other ones since.
    func brought(_ entries: [OutboxEntry], by device: SimDevice) {
        if !entries.isEmpty { doubtful.insert(device.name) }
        for entry in entries {
            let (model, id) = (entry.model, entry.id)
            switch entry.kind {
            case .create: created[model, default: [:]][id, default: [:]][device.name] = nextStep()
            case .delete: acknowledgedDelete(model, id, isTakenBack: false, by: device)
            case .update: break
            }
            for (field, value) in values(of: entry) {
                acknowledgedWrite(model, id, field, value, by: device, as: entry.identity)
                ledger.decided(value)
            }
            if model == "Shelf" { bringOperations(entry, by: device) }
        }
    }

    private func bringOperations(_ entry: OutboxEntry, by device: SimDevice) {
        // What a create holds of amounts is what was added before, by whoever.
        if entry.kind == .create { return ledger.forget(entry.id) }
        for (field, value) in entry.fields.members {
            switch FieldOperation(value) {
            case .increment(let amount)?:
                let units = SimSchema.units(amount, field)
                switch ledger.isBack(units, of: entry.id, field, entry.mutationID) {
                case true?: break
                case false?: ledger.forget(entry.id)
                case nil: ledger.added(units, to: entry.id, field, by: device, step: nextStep())
                }
            case .edit(let adding, let removing)?:
                for mark in adding.compactMap(\.string) {
                    ledger.marked(mark, in: entry.id, isThere: true, by: device, step: nextStep())
                }
                for mark in removing.compactMap(\.string) {
                    ledger.marked(mark, in: entry.id, isThere: false, by: device, step: nextStep())
                }
            case nil: break
            }
        }
    }
}

/// What somebody writes into an entry.
enum SimEdit {
    /// Another value of a followed field.
    case value(field: String, Value)
    /// Another amount, in the units in which it is stored.
    case amount(field: String, Int64)
}
