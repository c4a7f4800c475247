import Models
import Testing

@testable import DataStore
@testable import Hub

/// Remembers what must be true: what was acknowledged, what the hub committed, what each device saw and was told.
final class SimOracle {
    struct HubRecord {
        var values: [Value]
        var version: Int64
        var isDeleted: Bool
        var lastChangedAt: Int64
    }

    struct FieldKey: Hashable {
        let device: String
        let model: String
        let id: String
        let field: String
    }

    private(set) var failures: [String] = []
    /// Creates that a device was told are durable: by model and id the devices, with the place in time.
    var created: [String: [String: [String: Int]]] = [:]
    /// When a device was last told to give up all that it had not sent.
    private(set) var discards: [String: Int] = [:]
    /// The last value that a device wrote into a field, with its place in time.
    var written: [FieldKey: (value: Value, step: Int)] = [:]
    /// Deletes that a device was told are durable.
    var deleted: [FieldKey: Int] = [:]
    /// Deletes of what no one else had heard of: they take back, nothing is to be sent.
    var takenBack: [FieldKey: Int] = [:]
    /// Conflicts that a device reported; `field` is empty for a delete.
    private(set) var conflicts: [FieldKey: Int] = [:]
    private(set) var hub: [String: [String: HubRecord]] = [:]
    /// Records whose deletion the hub has forgotten; their ids are not used again.
    private(set) var forgotten: Set<String> = []
    /// Every value that a field ever had at the hub.
    var history: [FieldKey: Set<Value>] = [:]
    /// Every value that a device ever showed in a field of a shared record.
    private var seen: [FieldKey: Set<Value>] = [:]
    /// What took a value's place in a field, at the hub, in any of its lives.
    private var successors: [FieldKey: [Value: Set<Value>]] = [:]
    private(set) var commits = 0
    private var steps = 0
    /// Units and operations.
    let ledger = SimLedger()

    /// What the hub knew at one moment.
    struct Memory {
        fileprivate let hub: [String: [String: HubRecord]]
        fileprivate let history: [FieldKey: Set<Value>]
    }

    /// How often a backup was put back.
    private(set) var restores = 0
    /// Records that the hub had and a restore took from it.
    private(set) var takenByRestore: Set<String> = []

    func wasTaken(_ model: String, _ id: String) -> Bool {
        let key = model + "/" + id
        return takenByRestore.contains(key) || (restores > 0 && forgotten.contains(key))
    }

    /// What a backup taken now holds.
    var memory: Memory { Memory(hub: hub, history: history) }

    /// The hub has gone back to what it knew then.
    func restored(to memory: Memory) {
        restores += 1
        commits += 1
        for (model, records) in hub {
            for id in records.keys where memory.hub[model]?[id] == nil { takenByRestore.insert(model + "/" + id) }
        }
        hub = memory.hub
        history = memory.history
    }

    func fail(_ text: String) {
        if failures.count < 20 { failures.append(text) }
    }

    func nextStep() -> Int { step() }

    private func step() -> Int {
        steps += 1
        return steps
    }

    // MARK: What devices write

    /// - Parameter maker: Who made it; who is signed in, where none is named.
    func acknowledgedCreate(_ record: Record, by device: SimDevice, as maker: String?? = .none) {
        created[record.schema.name, default: [:]][record.id, default: [:]][device.name] = step()
        if SimSchema.shared.contains(record.schema.name) {
            for field in SimSchema.sharedFields {
                let value = SimSchema.value(of: field, in: record)
                if value.isNull { continue }
                acknowledgedWrite(record.schema.name, record.id, field, value, by: device, as: maker)
            }
        }
    }

    func acknowledgedWrite(
        _ model: String, _ id: String, _ field: String, _ value: Value, by device: SimDevice,
        as maker: String?? = .none
    ) {
        written[FieldKey(device: device.name, model: model, id: id, field: field)] = (value, step())
        ledger.supersede(model, id, field, by: device.name)
        // Who made what was not sent then is not kept.
        if device.sends(model) { ledger.wrote(value, as: maker ?? device.person) }
    }

    /// A device took a value away, its own too.
    ///
    /// - Parameter value: Where it took only this one.
    func acknowledgedClear(
        _ model: String, _ id: String, _ field: String, holding value: Value? = nil, by device: SimDevice
    ) {
        let key = FieldKey(device: device.name, model: model, id: id, field: field)
        if let value, written[key]?.value != value { return }
        written[key] = nil
    }

    func acknowledgedDelete(_ model: String, _ id: String, isTakenBack: Bool, by device: SimDevice) {
        let key = FieldKey(device: device.name, model: model, id: id, field: "")
        if isTakenBack { takenBack[key] = step() } else { deleted[key] = step() }
        ledger.supersede(model, id, nil, by: device.name)
    }

    func discarded(by device: SimDevice) { discards[device.name] = step() }

    /// Devices on which somebody took back what may have arrived, or took in again what he had changed since or given up:
    /// they may meet themselves.
    var doubtful: Set<String> = []
    /// When a device was last cleared with its unsent changes in a file.
    var carried: [String: Int] = [:]

    func isDoubtful(_ device: String) -> Bool {
        discards[device] != nil || carried[device] != nil || doubtful.contains(device)
    }

    /// Whether a device gave up what it had not sent after this moment. Where it was only carried, what had been confirmed
    /// is not kept for a restored hub any more.
    func wasGivenUp(_ device: String, since step: Int) -> Bool {
        (discards[device] ?? 0) > step || (restores > 0 && (carried[device] ?? 0) > step)
    }

    var deletedRecords: [(model: String, id: String)] {
        hub.keys.sorted().flatMap { model in
            (hub[model] ?? [:]).filter(\.value.isDeleted).keys.sorted().map { (model, $0) }
        }
    }

    func forget(_ model: String, _ id: String) {
        forgotten.insert(model + "/" + id)
        hub[model]?[id] = nil
    }

    func refused(_ error: any Error, on device: SimDevice) {
        switch error as? StoreError {
        case .deleted?, .closed?: break
        case .diskFull? where device.isDiskFull, .database? where device.isDiskFull: break
        case .downstreamOnly(let model)? where !device.sends(model): break
        default: fail("\(device.name) refused a write: \(error)")
        }
    }

    // MARK: What devices show

    func heard(_ event: StoreEvent, on device: SimDevice) {
        switch event {
        case .conflict(let model, let id, let fields):
            if SimSchema.isOwn(id, device.name), !isDoubtful(device.name) {
                fail("\(device.name) met a conflict with itself in \(fields) of \(id)")
            }
            for field in fields.flatMap({ SimSchema.fields(of: $0, in: model) }) + [""] {
                conflicts[FieldKey(device: device.name, model: model, id: id, field: field)] = step()
            }
        case .parked(let entry) where SimSchema.isOwn(entry.id, device.name) && !isDoubtful(device.name):
            fail("\(device.name)'s \(entry.kind.name) of what only it changes is parked: \(entry.reason ?? "")")
        case .quarantined(let row): fail("\(device.name) could not read \(row.model) \(row.id): \(row.reason)")
        case .paused(_, _, let detail) where !device.hadExpiredKey: fail("\(device.name) was not let in: \(detail)")
        case .failure(let problem):
            // That the hub went back is told, and is no failure of the device; told without that it would be one.
            if problem.cause != nil {
                if restores == 0 { fail("\(device.name) speaks of a restore that was none: \(problem)") }
            } else if device.isUp, !device.isDiskFull {
                fail("\(device.name): \(problem)")
            }
        default: break
        }
    }

    /// A device's conflict handler was shown the backend's record.
    func sawRecord(_ record: Record, on device: SimDevice) {
        guard SimSchema.shared.contains(record.schema.name) else { return }
        for field in SimSchema.sharedFields {
            seen[FieldKey(device: device.name, model: record.schema.name, id: record.id, field: field), default: []]
                .insert(SimSchema.value(of: field, in: record))
        }
    }

    /// A person was shown a value of a record.
    func sawValue(_ value: Value, _ entry: OutboxEntry, _ field: String, on device: SimDevice) {
        seen[FieldKey(device: device.name, model: entry.model, id: entry.id, field: field), default: []].insert(value)
    }

    func saw(_ changes: CommittedChanges, on device: SimDevice) {
        for change in changes.changes {
            guard let record = change.record else { continue }
            // What the one before made stays until it is sent.
            let isReadable = device.persons.contains { SimRights.mayRead(record, device, $0) }
            if !change.isLocal, change.kind != .deleted, !isReadable {
                fail("\(device.name) holds \(change.model) \(change.id), which it may not read")
            }
            guard SimSchema.shared.contains(change.model) else { continue }
            for field in SimSchema.sharedFields {
                seen[FieldKey(device: device.name, model: change.model, id: change.id, field: field), default: []]
                    .insert(SimSchema.value(of: field, in: record))
            }
        }
    }

    // MARK: What the hub commits

    func committed(_ change: CommittedChange) {
        commits += 1
        let model = SimSchema.model(change.modelName)
        let record = Record(schema: model, values: change.row.values)
        let before = hub[model.name]?[record.id]
        switch change.kind {
        case .create:
            if before != nil { fail("the hub created \(model.name) \(record.id) twice") }
            // Sent only when its pass was, and that may not be behind it in the same request either.
            if model.name == "CountEntry", let pass = record["passID"].text, hub["CountPass"]?[pass] == nil,
                !takenByRestore.contains("CountPass/" + pass)
            {
                fail("CountEntry \(record.id) came before its pass")
            }
            if model.name == "Part" { checkPart(record) }
            if change.version != 1, !isLater(change.version, than: 0) {
                fail("\(model.name) \(record.id) was created in version \(change.version)")
            }
        case .update, .delete:
            if model.isCreateOnly { fail("create-only \(model.name) \(record.id) was changed at the hub") }
            if let before, change.version != before.version + 1, !isLater(change.version, than: before.version) {
                fail("\(model.name) \(record.id) went from version \(before.version) to \(change.version)")
            }
        }
        if SimSchema.shared.contains(model.name) { checkFields(record, before, change) }
        checkShape(record, before, change)
        hub[model.name, default: [:]][record.id] = HubRecord(
            values: change.row.values, version: change.version, isDeleted: change.row.deleted,
            lastChangedAt: change.lastChangedAt)
    }

    /// A part needs its crate, and one that its maker made for his own crate needs that one and no other of its name.
    private func checkPart(_ part: Record) {
        guard let id = part["crateID"].text, let maker = part["maker"].text else { return }
        guard let crate = hub["Crate"]?[id] else {
            if !takenByRestore.contains("Crate/" + id) { fail("Part \(part.id) came before its crate") }
            return
        }
        if part["crateMaker"] == .text(maker), crate.values[1] != .text(maker), !isDoubtful(maker) {
            fail("Part \(part.id) of \(maker) came into a crate of \(crate.values[1])")
        }
    }

    /// Whether a version is the first of a row in a later life of the hub.
    private func isLater(_ version: Int64, than before: Int64) -> Bool {
        let life = version / HubLives.span
        return life > before / HubLives.span && life <= Int64(restores) && version % HubLives.span <= 1
    }

    /// No change replaces a value that its author has never seen.
    private func checkFields(_ record: Record, _ before: HubRecord?, _ change: CommittedChange) {
        let model = record.schema
        let past = before.map { Record(schema: model, values: $0.values) }
        for field in SimSchema.sharedFields {
            let value = SimSchema.value(of: field, in: record)
            history[FieldKey(device: "", model: model.name, id: record.id, field: field), default: []].insert(value)
            let old = past.map { SimSchema.value(of: field, in: $0) } ?? .null
            if old != value { ledger.committed(value, at: change.lastChangedAt) }
            guard change.kind == .update, old != value, !old.isNull, let text = value.text else { continue }
            let author = String(text.prefix { $0 != "/" })
            let key = FieldKey(device: author, model: model.name, id: record.id, field: field)
            let place = FieldKey(device: "", model: model.name, id: record.id, field: field)
            let sawIt = saw(old, in: place, by: seen[key] ?? [])
            successors[place, default: [:]][old, default: []].insert(value)
            if !sawIt {
                fail("\(author) overwrote \(old) in \(model.name) \(record.id).\(field) unseen")
            }
        }
    }

    /// Whether an author saw a value, or one that took its place before a restore took that back.
    private func saw(_ value: Value, in place: FieldKey, by seen: Set<Value>) -> Bool {
        var met: Set<Value> = [value]
        var open = [value]
        while let next = open.popLast() {
            if seen.contains(next) { return true }
            guard restores > 0 else { return false }
            for later in successors[place]?[next] ?? [] where met.insert(later).inserted { open.append(later) }
        }
        return false
    }

    /// When a device last deleted a record, by either way; 0 if never.
    func lastDelete(_ device: String, _ model: String, _ id: String) -> Int {
        let key = FieldKey(device: device, model: model, id: id, field: "")
        return max(deleted[key] ?? 0, takenBack[key] ?? 0)
    }

    /// Whether a field ever had a value at the hub.
    func wasCommitted(_ model: String, _ id: String, _ field: String, _ value: Value) -> Bool {
        history[FieldKey(device: "", model: model, id: id, field: field)]?.contains(value) ?? false
    }
}
