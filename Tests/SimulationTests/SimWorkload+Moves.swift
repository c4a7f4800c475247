import Models

@testable import DataStore

/// What goes as one, and what adds up.
extension SimWorkload {
    /// The desk puts up shelves that everyone counts on.
    func putUpShelf(_ device: SimDevice) {
        let id = "shelf-\(device.name)-\(world.below(2))"
        var made: Record?
        let done = device.write { transaction in
            made = nil
            guard try transaction.get(model: "Shelf", id: id) == nil else { return }
            let record = SimSchema.record("Shelf", ["id": .text(id), "label": .text("new")])
            try transaction.save(record)
            made = record
        }
        if done, let made { oracle.acknowledgedCreate(made, by: device) }
    }

    /// Adds to a shelf's numbers, puts marks on it or takes its own off, or writes its label.
    func countOnShelf(_ device: SimDevice, _ number: Int) {
        let id = "shelf-\(world.pick(desks).name)-\(world.below(2))"
        let count = Int64(world.below(9)) - 2
        let weight = Int64(world.below(5_000)) - 1_000
        let mark = "\(device.name)/\(world.below(3))"
        let isTaken = world.chance(400)
        let choice = world.below(4)
        var isThere = false
        let done = device.write { transaction in
            isThere = try transaction.get(model: "Shelf", id: id) != nil
            guard isThere else { return }
            switch choice {
            case 0: try transaction.operate(model: "Shelf", id: id, ["count": .increment(.integer(count))])
            case 1:
                try transaction.operate(
                    model: "Shelf", id: id,
                    [
                        "count": .increment(.integer(count)),
                        "weight": .increment(.number(decimalText(weight, places: 3))),
                    ])
            case 2:
                try transaction.operate(
                    model: "Shelf", id: id,
                    ["marks": .edit(adding: isTaken ? [] : [.string(mark)], removing: isTaken ? [.string(mark)] : [])])
            default:
                guard var record = try transaction.get(model: "Shelf", id: id) else { return }
                record["label"] = .text("\(device.name)/\(number)")
                try transaction.save(record)
            }
        }
        guard done, isThere else { return }
        let ledger = oracle.ledger
        if choice < 2 { ledger.added(count, to: id, "count", by: device, step: oracle.nextStep()) }
        if choice == 1 { ledger.added(weight, to: id, "weight", by: device, step: oracle.nextStep()) }
        if choice == 2 { ledger.marked(mark, in: id, isThere: !isTaken, by: device, step: oracle.nextStep()) }
    }

    /// Changes a record that nobody else touches: no conflict can be anybody's but its own.
    func changeOwn(_ device: SimDevice, _ number: Int) {
        let model = world.pick(SimSchema.ownModels)
        let id = SimSchema.own(model, device.name)
        let field = world.pick(SimSchema.sharedFields)
        let value = Value.text("\(device.name)/\(number)")
        var made: Record?
        var isChanged = false
        let done = device.write { transaction in
            (made, isChanged) = (nil, false)
            if var record = try transaction.get(model: model, id: id) {
                SimSchema.set(value, field, of: &record)
                isChanged = true
                return try transaction.save(record)
            }
            // A store that was cleared meanwhile does not know that it was made; whoever makes it anew is another.
            guard oracle.created[model]?[id] == nil else { return }
            var record = SimSchema.record(model, ["id": .text(id)])
            SimSchema.set(value, field, of: &record)
            try transaction.save(record)
            made = record
        }
        guard done else { return }
        if let made {
            oracle.acknowledgedCreate(made, by: device)
        } else if isChanged {
            oracle.acknowledgedWrite(model, id, field, value, by: device)
        }
    }

    /// Packs parts into a crate that several make under one name; whoever comes late has his refused, and his parts must
    /// not get into another's.
    func pack(_ device: SimDevice, _ number: Int) {
        let id = "crate-\(world.below(6))"
        let count = 1 + world.below(3)
        var made: [Record] = []
        let done = device.write { transaction in
            made = []
            var maker = try transaction.get(model: "Crate", id: id)?["maker"].text
            if maker == nil {
                made.append(SimSchema.record("Crate", ["id": .text(id), "maker": .text(device.name)]))
                maker = device.name
            }
            for part in 0..<count {
                made.append(
                    SimSchema.record(
                        "Part",
                        [
                            "id": .text("\(device.name)-part\(number)-\(part)"), "crateID": .text(id),
                            "maker": .text(device.name), "crateMaker": .text(maker ?? ""),
                        ]))
            }
            for record in made { try transaction.save(record) }
        }
        if done { for record in made { oracle.acknowledgedCreate(record, by: device) } }
    }

    /// A move of some legs that goes as one; now and then two devices claim the same leg, or a change meets a conflict.
    func move(_ device: SimDevice, _ number: Int) {
        let name = "\(device.name)/move\(number)"
        let slot = world.chance(250) ? "slot-\(world.below(3))" : nil
        let shelf = world.chance(400) ? "shelf-\(world.pick(desks).name)-\(world.below(2))" : nil
        let strict = world.chance(250) ? "Strict-\(world.below(4))" : nil
        let count = 2 + world.below(3)
        let field = world.pick(SimSchema.sharedFields)
        let value = Value.text("\(device.name)/\(number)")
        var legs: [Record] = []
        var hasCounted = false
        var hasChanged = false
        let done = device.write { transaction in
            (legs, hasCounted, hasChanged) = ([], false, false)
            try transaction.sentAsOne {
                for leg in 0..<count {
                    var id = "\(device.name)-\(number)-\(leg)"
                    if leg == 0, let slot, try transaction.get(model: "Leg", id: slot) == nil { id = slot }
                    legs.append(
                        SimSchema.record(
                            "Leg", ["id": .text(id), "move": .text(name), "parts": .integer(Int64(count))]))
                }
                for leg in legs { try transaction.save(leg) }
                if let shelf, try transaction.get(model: "Shelf", id: shelf) != nil {
                    try transaction.operate(model: "Shelf", id: shelf, ["count": .increment(.integer(Int64(count)))])
                    hasCounted = true
                }
                if let strict, var record = try transaction.get(model: "Strict", id: strict) {
                    record[field] = value
                    try transaction.save(record)
                    hasChanged = true
                }
            }
        }
        guard done else { return }
        for leg in legs { oracle.acknowledgedCreate(leg, by: device) }
        oracle.ledger.moved(name, legs.map(\.id), by: device, step: oracle.nextStep())
        if hasCounted, let shelf {
            oracle.ledger.added(Int64(count), to: shelf, "count", by: device, step: oracle.nextStep())
        }
        if hasChanged, let strict { oracle.acknowledgedWrite("Strict", strict, field, value, by: device) }
    }
}
