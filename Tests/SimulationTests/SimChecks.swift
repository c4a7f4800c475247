import Models

@testable import DataStore
@testable import Hub

/// What must hold once the weather has cleared.
struct SimChecks {
    private let simulation: Simulation
    private var oracle: SimOracle { simulation.oracle }
    private var devices: [SimDevice] { simulation.devices }
    private let parked: [String: Set<String>]

    init(_ simulation: Simulation) throws {
        self.simulation = simulation
        var parked: [String: Set<String>] = [:]
        for device in simulation.devices {
            // What waits at the end waits behind something parked, or with it.
            let entries = try device.core.read { try $0.outbox() }
            if !entries.contains(where: { $0.state == .parked }) { continue }
            parked[device.name] = Set(entries.map { $0.model + "/" + $0.id })
        }
        self.parked = parked
    }

    func run() throws {
        savesArrived()
        try nothingDoubled()
        updatesArrivedOrWereReported()
        deletesArrivedOrWereReported()
        try SimSums(oracle, devices).run()
        for device in devices {
            try nothingIsHeldBack(device)
            try SimVisibility(oracle: oracle, device: device).run()
            try verifies(device)
            try agrees(device)
            parkedIsVisible(device)
        }
    }

    /// What is left waits for a person, or for something that does.
    private func nothingIsHeldBack(_ device: SimDevice) throws {
        guard let batch = try device.core.nextMutations(limit: 100) else { return }
        oracle.fail("\(device.name) could send \(batch.entries.map { "\($0.model) \($0.id)" }) and does not")
    }

    /// What any user can check of a store's file.
    private func verifies(_ device: SimDevice) throws {
        for finding in try StoreVerify.check(device.core.connection, SimSchema.schema) where !finding.isOnlyNote {
            for problem in finding.problems { oracle.fail("\(device.name), \(finding.check): \(problem)") }
        }
    }

    private func isParked(_ device: String, _ model: String, _ id: String) -> Bool {
        parked[device]?.contains(model + "/" + id) ?? false
    }

    /// 1: every acknowledged save is at the hub, or waits visibly for a person.
    private func savesArrived() {
        for (model, records) in oracle.created {
            for (id, makers) in records {
                if oracle.hub[model]?[id] != nil || oracle.forgotten.contains(model + "/" + id) { continue }
                for (maker, step) in makers where !isParked(maker, model, id) {
                    if oracle.wasGivenUp(maker, since: step) { continue }
                    // Made and deleted before anybody heard of it.
                    if oracle.lastDelete(maker, model, id) == 0 { oracle.fail("\(model) \(id) of \(maker) is lost") }
                }
            }
        }
    }

    /// 2: the hub holds the union, each once, and each device's numbers without a gap.
    private func nothingDoubled() throws {
        for model in SimSchema.schema.models {
            let live = oracle.hub[model.name, default: [:]].values.filter { !$0.isDeleted }.count
            let stored = try simulation.hub.rowCount(model.name)
            if live != stored { oracle.fail("the hub stores \(stored) \(model.name), it told of \(live)") }
            guard model.isCreateOnly else { continue }
            for (id, record) in oracle.hub[model.name, default: [:]] {
                if record.version != 1, record.version % HubLives.span != 0 {
                    oracle.fail("\(model.name) \(id) is in version \(record.version)")
                }
                if oracle.created[model.name]?[id] == nil, !isUnacknowledged(id) {
                    oracle.fail("nobody made \(model.name) \(id)")
                }
            }
        }
        for device in devices {
            let entries = oracle.hub["CountEntry", default: [:]].keys.filter { $0.hasPrefix(device.name + "-") }
            let last = try device.core.read { try $0.currentSequence("entry") }
            let isWhole = !oracle.wasGivenUp(device.name, since: 0)
            if isWhole ? entries.count != Int(last) : entries.count > Int(last) {
                oracle.fail("\(device.name) counted to \(last), the hub has \(entries.count) entries")
            }
        }
    }

    /// A transaction may have committed in the very moment of a kill, before anyone was told.
    private func isUnacknowledged(_ id: String) -> Bool {
        devices.contains { id.hasPrefix($0.name + "-") && $0.life > 1 }
    }

    /// 2: no field's change is gone without somebody having been told.
    private func updatesArrivedOrWereReported() {
        for (key, write) in oracle.written {
            if oracle.wasCommitted(key.model, key.id, key.field, write.value) { continue }
            if isParked(key.device, key.model, key.id) { continue }
            if let told = oracle.conflicts[key], told > write.step { continue }
            if oracle.wasGivenUp(key.device, since: write.step) { continue }
            if oracle.forgotten.contains(key.model + "/" + key.id) { continue }
            // He deleted it himself afterwards.
            if oracle.lastDelete(key.device, key.model, key.id) > write.step { continue }
            oracle.fail("\(key.device)'s \(write.value) in \(key.model) \(key.id).\(key.field) is lost in silence")
        }
    }

    private func deletesArrivedOrWereReported() {
        for (key, step) in oracle.deleted {
            guard let record = oracle.hub[key.model]?[key.id], !record.isDeleted else { continue }
            if isParked(key.device, key.model, key.id) { continue }
            if let told = oracle.conflicts[key], told > step { continue }
            if oracle.wasGivenUp(key.device, since: step) { continue }
            // He, or a merge of two deletes, made it anew under the same id: only before the hub heard of the delete.
            let rewritten = SimSchema.sharedFields.contains { field in
                let write = SimOracle.FieldKey(device: key.device, model: key.model, id: key.id, field: field)
                return (oracle.written[write]?.step ?? 0) > step
            }
            if !rewritten { oracle.fail("\(key.device)'s delete of \(key.model) \(key.id) is lost in silence") }
        }
    }

    /// 3 and convergence: a device holds exactly what it may read, as the hub has it.
    private func agrees(_ device: SimDevice) throws {
        for model in SimSchema.schema.models {
            let policy = device.role.policies[model.name] ?? model.syncPolicy
            let rows = try device.rows(model.name)
            if policy == .none, !rows.isEmpty { oracle.fail("\(device.name) holds \(rows.count) \(model.name)") }
            if policy.receives { complete(device, model, rows) }
            for (id, row) in rows {
                let record = Record(schema: model, values: row.values)
                if !SimRights.mayRead(record, device) { oracle.fail("\(device.name) may not read \(model.name) \(id)") }
                if isParked(device.name, model.name, id) { continue }
                if !device.keeps(record) { oracle.fail("\(device.name) keeps \(model.name) \(id) outside its scope") }
                guard let theirs = oracle.hub[model.name]?[id], !theirs.isDeleted else {
                    // Its author gave it up, and a restore took it from the hub; or its deletion was forgotten before a
                    // restore, after which nobody can tell that from a loss: it stays, and is no one else's.
                    if row.version == nil, oracle.wasTaken(model.name, id) { continue }
                    let version = row.version.map { "v\($0)" } ?? "as its own"
                    oracle.fail("\(device.name) holds \(model.name) \(id) \(version), which the hub has not")
                    continue
                }
                if theirs.values != row.values || theirs.version != row.version {
                    oracle.fail(
                        "\(device.name) has \(model.name) \(id) as \(row.values) v\(row.version ?? 0), the hub as "
                            + "\(theirs.values) v\(theirs.version)")
                }
            }
        }
    }

    private func complete(_ device: SimDevice, _ model: ModelSchema, _ rows: [String: StoreTable.Row]) {
        for (id, record) in oracle.hub[model.name, default: [:]] where !record.isDeleted && rows[id] == nil {
            let wanted = Record(schema: model, values: record.values)
            guard SimRights.mayRead(wanted, device), device.keeps(wanted) else { continue }
            if isParked(device.name, model.name, id) { continue }
            oracle.fail("\(device.name) does not hold \(model.name) \(id) v\(record.version)")
        }
    }

    private func parkedIsVisible(_ device: SimDevice) {
        let count = (try? device.parked().count) ?? 0
        var counted = OutboxStatus()
        for entry in (try? device.core.read { try $0.outbox() }) ?? [] { counted.add(1, entry.state) }
        if device.outbox != counted { oracle.fail("\(device.name) counts \(device.outbox), it has \(counted)") }
        if !device.asked.isEmpty { oracle.fail("\(device.name) waits for a sync that never ends") }
        if device.status.parked != device.outbox.parked {
            oracle.fail("\(device.name) shows \(device.status.parked) parked changes of \(device.outbox.parked)")
        }
        if device.status.unsent != 0, count == 0 {
            oracle.fail("\(device.name) shows \(device.status.unsent) unsent changes")
        }
    }
}
