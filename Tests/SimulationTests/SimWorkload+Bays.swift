import Models

@testable import DataStore

/// Bays with pallets in them: a parent whose key has two parts, children that come, move and go with it.
extension SimWorkload {
    /// Puts up a bay, fills, changes or empties one, or takes it down with all that stands in it.
    func changeBay(_ device: SimDevice, _ number: Int) {
        guard device.isUp else { return }
        let bays = (try? device.core.read { try $0.query(model: "Bay") }) ?? []
        let choice = world.below(20)
        guard !bays.isEmpty, choice >= 3 else { return putUpBay(device, number) }
        let bay = world.pick(bays)
        switch choice {
        case 3..<8: fill(bay, device, number)
        case 8..<11: change("Bay", bay.id, device, number)
        case 11..<14: changePallet(device, number) { $0["a"] = $1 }
        case 14..<16:
            // Into this bay, from wherever it is.
            changePallet(device, number) { pallet, _ in
                pallet["baySite"] = bay["site"]
                pallet["bayNumber"] = bay["number"]
            }
        case 16: removePallet(device)
        default: takeDown(bay.id, device)
        }
    }

    private func putUpBay(_ device: SimDevice, _ number: Int) {
        let value = Value.text("\(device.name)/bay\(number)")
        let bay = SimSchema.record(
            "Bay", ["site": .text(device.name), "number": .integer(Int64(number)), "a": value, "b": value])
        let pallets = (0..<world.below(3)).map { pallet(in: bay, "\(number)-\($0)", device) }
        let isOne = world.chance(300)
        let done = device.write { transaction in
            try (isOne ? transaction.sentAsOne : { try $0() }) {
                for record in [bay] + pallets { try transaction.save(record) }
            }
        }
        if done { for record in [bay] + pallets { oracle.acknowledgedCreate(record, by: device) } }
    }

    func pallet(in bay: Record, _ name: String, _ device: SimDevice) -> Record {
        SimSchema.record(
            "Pallet",
            [
                "id": .text("pallet-\(device.name)-\(name)"), "baySite": bay["site"], "bayNumber": bay["number"],
                "a": .text("\(device.name)/pallet\(name)"),
            ])
    }

    private func fill(_ bay: Record, _ device: SimDevice, _ number: Int) {
        let pallets = (0...world.below(2)).map { pallet(in: bay, "\(number)-\($0)", device) }
        let done = device.write { transaction in for pallet in pallets { try transaction.save(pallet) } }
        if done { for pallet in pallets { oracle.acknowledgedCreate(pallet, by: device) } }
    }

    private func change(_ model: String, _ id: String, _ device: SimDevice, _ number: Int) {
        let field = world.pick(SimSchema.sharedFields)
        let value = Value.text("\(device.name)/bay\(number)")
        let done = device.write { transaction in
            guard var record = try transaction.get(model: model, id: id) else { return }
            record[field] = value
            try transaction.save(record)
        }
        if done { oracle.acknowledgedWrite(model, id, field, value, by: device) }
    }

    private func changePallet(_ device: SimDevice, _ number: Int, _ body: (inout Record, Value) -> Void) {
        let pallets = (try? device.core.read { try $0.query(model: "Pallet") }) ?? []
        guard !pallets.isEmpty else { return }
        let old = world.pick(pallets)
        let value = Value.text("\(device.name)/moved\(number)")
        var new = old
        body(&new, value)
        guard device.write({ try $0.save(new) }), new["a"] != old["a"] else { return }
        oracle.acknowledgedWrite("Pallet", old.id, "a", value, by: device)
    }

    private func removePallet(_ device: SimDevice) {
        let pallets = (try? device.core.read { try $0.query(model: "Pallet") }) ?? []
        if !pallets.isEmpty { delete("Pallet", world.pick(pallets).id, [], device) }
    }

    /// Removes a bay; those of its pallets that are known here go before it.
    private func takeDown(_ id: String, _ device: SimDevice) {
        let pallets = (try? device.core.read { try $0.query(model: "Pallet") }) ?? []
        delete("Bay", id, pallets.filter { SimSchema.bay(of: $0) == id }.map(\.id), device)
    }

    private func delete(_ model: String, _ id: String, _ children: [String], _ device: SimDevice) {
        var gone: [(model: String, id: String, isTakenBack: Bool)] = []
        let done = device.write { transaction in
            gone = []
            try transaction.delete(model: model, id: id)
            for (model, id) in children.map({ ("Pallet", $0) }) + [(model, id)] {
                if try transaction.get(model: model, id: id) != nil {
                    oracle.fail("\(device.name) deleted \(model) \(id), which is still here")
                }
                gone.append((model, id, try device.core.entries(model, id).isEmpty))
            }
        }
        guard done else { return }
        for record in gone {
            oracle.acknowledgedDelete(record.model, record.id, isTakenBack: record.isTakenBack, by: device)
        }
    }
}
