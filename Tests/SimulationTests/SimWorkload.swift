import Models

@testable import DataStore

/// What people do on a simulated floor: they count, beat, plan, and change and delete what others change too.
struct SimWorkload {
    let world: SimWorld
    let oracle: SimOracle
    let devices: [SimDevice]
    private let mood: SimMood
    private let counters: [SimDevice]
    let desks: [SimDevice]

    init(_ world: SimWorld, _ oracle: SimOracle, _ devices: [SimDevice], _ mood: SimMood) {
        self.mood = mood
        self.world = world
        self.oracle = oracle
        self.devices = devices
        counters = devices.filter { $0.role == .counter }
        desks = devices.filter { $0.role == .desk }
    }

    /// One act of a device.
    func act(_ device: SimDevice, _ number: Int) {
        guard device.isUp else { return }
        if world.chance(mood.ownChance) { return changeOwn(device, number) }
        if world.chance(mood.shapeChance) { return changeShape(device) }
        if world.chance(300) { return actTogether(device, number) }
        switch (device.role, world.below(10)) {
        case (.counter, 0..<5): count(device)
        case (.counter, 5): beat(device)
        case (.desk, 0..<4): plan(device)
        case (.supervisor, 0): beat(device)
        default: change(device, number)
        }
    }

    /// What has a condition, a list or relatives.
    private func changeShape(_ device: SimDevice) {
        switch world.below(10) {
        case 0..<4: changeLot(device, oracle.nextStep())
        case 4..<8: changeBay(device, oracle.nextStep())
        default: dispatch(device, oracle.nextStep())
        }
    }

    private func actTogether(_ device: SimDevice, _ number: Int) {
        switch world.below(5) {
        case 0: move(device, number)
        case 4: pack(device, number)
        case 1 where device.role == .desk: putUpShelf(device)
        default: countOnShelf(device, number)
        }
    }

    /// A pass with some entries, or more entries for one: chained by the device's own numbers.
    private func count(_ device: SimDevice) {
        var records: [Record] = []
        let crew = world.chance(300) ? [world.pick(counters).person] : []
        let isForAll = world.chance(200)
        let length = 1 + world.below(3)
        let opens = world.chance(400)
        let done = device.write { transaction in
            records = []
            var pass = try transaction.currentSequence("pass")
            let isThere = try transaction.get(model: "CountPass", id: "\(device.name)-\(pass)") != nil
            if opens || !isThere {
                pass = try transaction.nextSequence("pass")
                let ticket = "\(device.name)-\(pass)"
                records.append(
                    SimSchema.record(
                        "CountPass",
                        [
                            "id": .text(ticket), "ticket": .text(ticket), "sessionID": .text("S"),
                            "counterID": .text(device.person), "deviceID": .text(device.name),
                            "openedAt": .integer(transaction.time.now().milliseconds), "openedBy": .text("BIN_SCAN"),
                        ]))
            }
            for _ in 0..<length {
                let sequence = try transaction.nextSequence("entry")
                records.append(
                    SimSchema.record(
                        "CountEntry",
                        [
                            "id": .text("\(device.name)-\(sequence)"), "sessionID": .text("S"),
                            "passID": .text("\(device.name)-\(pass)"), "kind": .text("TALLY"),
                            "quantity": .integer(Int64(sequence) * 500), "authorID": .text(device.person),
                            "deviceID": .text(device.name), "sequence": .integer(sequence),
                            "at": .integer(transaction.time.now().milliseconds), "bootID": .text("b"),
                            "uptimeMs": .text("1"), "previousHash": .text("h\(sequence - 1)"),
                            "hash": .text("h\(sequence)"),
                            "crewIDs": .text("[" + crew.map { "\"\($0)\"" }.joined(separator: ",") + "]"),
                            "audience": .text(isForAll ? "[\"counters\"]" : "[]"),
                        ]))
            }
            for record in records { try transaction.save(record) }
        }
        if done { for record in records { oracle.acknowledgedCreate(record, by: device) } }
    }

    /// A device says how it is.
    private func beat(_ device: SimDevice) {
        var isNew = false
        var record = SimSchema.record("Device", [:])
        let done = device.write { transaction in
            let old = try transaction.get(model: "Device", id: device.name)
            isNew = old == nil
            record =
                old
                ?? SimSchema.record(
                    "Device",
                    [
                        "id": .text(device.name), "code": .text(device.name),
                        "kind": .text(device.role == .counter ? "terminal" : device.role.rawValue),
                        "parked": .integer(0),
                        "version": .text("1"),
                    ])
            record["lastSequence"] = .integer(try transaction.currentSequence("entry"))
            record["unsent"] = .integer(Int64(device.outbox.unsent))
            record["beatAt"] = .integer(transaction.time.now().milliseconds)
            try transaction.save(record)
        }
        if done, isNew { oracle.acknowledgedCreate(record, by: device) }
    }

    /// The desk makes tasks, book lines and verdicts, and moves tasks on.
    private func plan(_ device: SimDevice) {
        let number = world.below(6)
        let state = world.pick(["todo", "open", "counted"])
        var made: [Record] = []
        let done = device.write { transaction in
            made = []
            let id = "task-\(device.name)-\(number)"
            if var task = try transaction.get(model: "BinTask", id: id) {
                task["state"] = .text(state)
                try transaction.save(task)
                return
            }
            made = [
                SimSchema.record(
                    "BinTask",
                    [
                        "id": .text(id), "sessionID": .text("S"), "binID": .text("B\(number)"),
                        "binCode": .text("B-\(number)"), "zoneID": .text("Z"), "walkSequence": .integer(Int64(number)),
                        "state": .text("todo"), "priority": .integer(0), "notForIDs": .text("[]"),
                    ]),
                SimSchema.record(
                    "BookLine",
                    [
                        "id": .text("book-\(device.name)-\(number)"), "snapshotID": .text("K"),
                        "binID": .text("B\(number)"), "itemID": .text("I"), "quantity": .integer(12_000),
                    ]),
                SimSchema.record(
                    "LineVerdict",
                    [
                        "id": .text("verdict-\(device.name)-\(number)"), "sessionID": .text("S"),
                        "binID": .text("B\(number)"), "itemID": .text("I"), "revision": .integer(1),
                        "state": .text("OPEN"), "finding": .text("CLEAN"), "basis": .text("COUNTED"),
                        "passIDs": .text("[]"),
                    ]),
            ]
            for record in made { try transaction.save(record) }
        }
        if done { for record in made { oracle.acknowledgedCreate(record, by: device) } }
    }

    /// Makes, changes or deletes a record that others change at the same time.
    private func change(_ device: SimDevice, _ number: Int) {
        let model = world.pick(SimSchema.changed)
        let id = "\(model)-\(world.below(4))"
        let fields = world.chance(700) ? [world.pick(SimSchema.sharedFields)] : Array(SimSchema.sharedFields.prefix(2))
        let isDelete = world.chance(60)
        // Of an embedded value a member may go while another is set.
        let cleared = model == "Card" && world.chance(200) ? world.pick(SimSchema.sharedFields) : nil
        let value = Value.text("\(device.name)/\(number)")
        var made: Record?
        var hasChanged = false
        var hasDeleted = false
        var hasTakenBack = false
        let done = device.write { transaction in
            made = nil
            hasChanged = false
            hasDeleted = false
            hasTakenBack = false
            if var record = try transaction.get(model: model, id: id) {
                // What is changed while it is not sent is its own.
                if !device.sends(model) { return }
                hasChanged = true
                if isDelete {
                    hasDeleted = try transaction.delete(model: model, id: id)
                    // Made here and never confirmed: nothing is left to be sent.
                    hasTakenBack = try device.core.entries(model, id).isEmpty
                } else {
                    if let cleared { SimSchema.set(.null, cleared, of: &record) }
                    for field in fields { SimSchema.set(value, field, of: &record) }
                    try transaction.save(record)
                }
            } else if !isDelete, !oracle.forgotten.contains(model + "/" + id) {
                var record = SimSchema.record(model, ["id": .text(id)])
                for field in fields { SimSchema.set(value, field, of: &record) }
                try transaction.save(record)
                // What is made while it is not sent is the device's own, and goes when it is cleared.
                if device.sends(model) { made = record }
            }
        }
        guard done else { return }
        if hasDeleted {
            oracle.acknowledgedDelete(model, id, isTakenBack: hasTakenBack, by: device)
        } else if let made {
            oracle.acknowledgedCreate(made, by: device)
        } else if hasChanged, !isDelete {
            if let cleared { oracle.acknowledgedClear(model, id, cleared, by: device) }
            for field in fields { oracle.acknowledgedWrite(model, id, field, value, by: device) }
        }
    }
}
