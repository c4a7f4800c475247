import Basics
import Models

@testable import DataStore
@testable import Hub

/// What must hold of each commit where a model has lists, conditions or relatives.
extension SimOracle {
    func checkShape(_ record: Record, _ before: HubRecord?, _ change: CommittedChange) {
        switch record.schema.name {
        case "Card":
            // Nobody ever touched the list in the box: whatever members are merged, it stays as it is.
            let names = SimSchema.box(record)["names"]
            if let names, names != SimSchema.cardNames { fail("Card \(record.id) has names \(names.text)") }
        case "Lot": checkLot(record, before, change)
        case "Pallet":
            // Its bay need not be there any more, but must have been: a pallet waits for the create of its bay. Not so one
            // that is deleted behind its create, which may have arrived, where the bay's create was taken back: it goes.
            let maker = String(record.id.split(separator: "-")[1])
            let deletion = FieldKey(device: maker, model: "Pallet", id: record.id, field: "")
            guard change.kind == .create, let bay = SimSchema.bay(of: record), hub["Bay"]?[bay] == nil,
                !wasTaken("Bay", bay), !forgotten.contains("Bay/" + bay), deleted[deletion] == nil
            else { return }
            fail("Pallet \(record.id) came before Bay \(bay)")
        default: break
        }
    }

    private func checkLot(_ lot: Record, _ before: HubRecord?, _ change: CommittedChange) {
        let codes = SimSchema.elements(lot["codes"])
        if Set(codes).count != codes.count { fail("Lot \(lot.id) holds a code twice: \(codes.map(\.text))") }
        for code in codes.compactMap(\.string) {
            let key = FieldKey(device: "", model: "Lot", id: lot.id, field: "codes")
            history[key, default: []].insert(.text(code))
        }
        guard let before, change.kind != .create else { return }
        let past = Record(schema: lot.schema, values: before.values)
        if change.kind == .delete {
            guard ledger.deleteConditions[lot.id]?.contains(past["a"]) != true else { return }
            return fail("Lot \(lot.id) was deleted though \(past["a"]) is not what anybody deleted it over")
        }
        for field in SimSchema.sharedFields where lot[field] != past[field] {
            guard let expected = ledger.conditions[lot[field]], expected != past["a"] else { continue }
            fail("Lot \(lot.id) got \(lot[field]) though its condition, \(expected), was not met by \(past["a"])")
        }
    }
}
