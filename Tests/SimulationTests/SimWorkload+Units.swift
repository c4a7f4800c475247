import Models

@testable import DataStore

/// What goes as one over several models, of which the hub may refuse one: by its condition, or by rights.
extension SimWorkload {
    /// Puts a pallet into a bay, claims a lot for it if nobody was faster, changes a record that merges nothing, and now and
    /// then seals it, which counters may not.
    func dispatch(_ device: SimDevice, _ number: Int) {
        guard device.isUp else { return }
        let bays = (try? device.core.read { try $0.query(model: "Bay") }) ?? []
        guard !bays.isEmpty else { return changeBay(device, number) }
        let bay = world.pick(bays)
        let value = Value.text("\(device.name)/unit\(number)")
        let lot = world.chance(600) ? "Lot-\(world.below(5))" : nil
        let strict = world.chance(300) ? "Strict-\(world.below(4))" : nil
        let isSealed = world.chance(250)
        let pallet = pallet(in: bay, "u\(number)", device)
        var parts: [SimLedger.Part] = []
        var expected: Value?
        let done = device.write { transaction in
            (parts, expected) = ([], nil)
            try transaction.sentAsOne {
                try transaction.save(pallet)
                parts.append(SimLedger.Part(model: "Pallet", id: pallet.id, field: "a", value: pallet["a"]))
                if let lot, var record = try transaction.get(model: "Lot", id: lot) {
                    let old = record["a"]
                    expected = old
                    record["a"] = value
                    let condition = Predicate<SimLot>(.field("a", old.isNull ? .exists(false) : .equal(old)))
                    try transaction.save(SimLot(record), where: condition)
                    parts.append(SimLedger.Part(model: "Lot", id: lot, field: "a", value: value))
                }
                if let strict, var record = try transaction.get(model: "Strict", id: strict) {
                    record["c"] = value
                    try transaction.save(record)
                    parts.append(SimLedger.Part(model: "Strict", id: strict, field: "c", value: value))
                }
                if isSealed {
                    let id = "seal-\(device.name)-\(number)"
                    try transaction.save(SimSchema.record("Seal", ["id": .text(id), "a": value]))
                    parts.append(SimLedger.Part(model: "Seal", id: id, field: "a", value: value))
                }
            }
        }
        guard done else { return }
        for part in parts where part.model == "Pallet" || part.model == "Seal" {
            let made = part.model == "Pallet" ? pallet : SimSchema.record("Seal", ["id": .text(part.id), "a": value])
            oracle.acknowledgedCreate(made, by: device)
        }
        for part in parts where part.model == "Lot" || part.model == "Strict" {
            if part.model == "Lot", let expected { oracle.ledger.expects(expected, for: value) }
            oracle.acknowledgedWrite(part.model, part.id, part.field, value, by: device)
        }
        // Noted last: what is acknowledged for a part from now on is a later word.
        oracle.ledger.dispatched("\(device.name)/unit\(number)", parts, by: device, step: oracle.nextStep())
    }
}
