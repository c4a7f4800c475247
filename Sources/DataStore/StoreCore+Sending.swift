import Basics
import Models
import SQLite

extension StoreCore {
    /// Puts back to *queued* what was being sent when the store was closed; call once before sending.
    ///
    /// Such entries may have arrived, so nothing is merged into them any more.
    package func resetSending() throws {
        retryAt.removeAll()
        _ = try commit(nil, .full) { _ in
            try Self.forgetHeldEntries(connection)
            // Looked for in the file: what another process was sending when it died is not known here yet. The second
            // condition is the first one's, for the index of what may not go.
            let count = try connection.run("UPDATE \"_outbox\" SET \"state\"=1 WHERE \"state\"=2 AND \"state\">=2")
            guard count > 0 else { return }
            try refreshFlags()
            countsChanged = true
            log.touchedOutbox = true
        }
    }

    /// Takes the next entries and marks them as being sent: the oldest that may go, of one identity.
    ///
    /// No two of one record; none whose record has an earlier entry unsettled; none that refers to a record whose create
    /// is parked or held back itself. Nil where nothing may go now.
    /// - Parameters:
    ///   - limit: How many entries at most.
    ///   - busy: Identities that have a batch under way and are passed over.
    ///   - plainOnly: Passes over what not every backend can do: units and operations.
    ///   - joinsParents: Whether a change may go in one batch with the create of a record that it refers to; the backend
    ///     must then be told that it needs it (``MutationBatch/needs``).
    package func nextMutations(
        limit: Int, busy: Set<String?> = [], plainOnly: Bool = false, joinsParents: Bool = true
    ) throws -> MutationBatch? {
        if isClosed { throw StoreError.closed }
        guard counts.values.contains(where: { $0.queued > 0 }) else { return nil }
        let now = options.time.now().milliseconds
        let last = gatheredAt
        gatheredAt = options.time.uptime()
        var isDone = false
        defer { if !isDone { gatheredAt = last } }
        // Chosen and marked in one transaction, so that no other process changes an entry between the two.
        let batch: MutationBatch? = try commit(nil, .full) { _ in
            try releaseDue(since: last)
            var oldest: (identity: String?, order: Int64)?
            var held = HeldEntries(isOpen: !plainOnly)
            let free = try lanes().filter { !busy.contains($0) }
            if free.count == 1 { oldest = (free[0], .min) }
            for identity in free where free.count > 1 {
                // One entry is enough to compare lanes by their age.
                var one = Gathering(joinsParents: joinsParents)
                try gather(&one, identity, limit: 1, plainOnly: plainOnly, &held)
                guard let order = one.entries.first?.order else { continue }
                if let oldest, oldest.order < order { continue }
                oldest = (identity, order)
            }
            guard let (identity, first) = oldest else {
                try hold(held)
                return nil
            }
            var gathering = Gathering(joinsParents: joinsParents)
            try gather(&gathering, identity, from: first, limit: limit, plainOnly: plainOnly, &held)
            try hold(held)
            let entries = gathering.entries
            guard !entries.isEmpty else { return nil }
            for entry in entries {
                try connection.withStatement(StoreSQL.markSending) { statement in
                    statement.bind(now, at: 1)
                    statement.bind(entry.order, at: 2)
                    _ = try statement.step()
                }
            }
            count(identity) {
                $0.queued -= entries.count
                $0.sending += entries.count
            }
            return MutationBatch(
                identity: identity, entries: entries, units: try units(of: entries), needs: gathering.needs)
        }
        isDone = true
        return batch
    }

    /// Whether something may go that ``nextMutations(limit:busy:plainOnly:)`` passes over with `plainOnly`, where nothing
    /// plain may.
    package var hasQueuedSpecials: Bool { (try? mayGo()) ?? false }

    private func mayGo() throws -> Bool {
        guard counts.values.contains(where: { $0.queued > 0 }) else { return false }
        return try lanes().contains { lane in
            var one = Gathering(joinsParents: true)
            var held = HeldEntries(isOpen: false)
            try gather(&one, lane, limit: 1, plainOnly: false, &held)
            return !one.entries.isEmpty
        }
    }

    /// Whether changes wait of which none can go before a person acts: they are parked, or held by what is, or their model is
    /// not sent.
    func awaitsPerson() throws -> Bool {
        let status = outboxStatus
        guard !status.isEmpty, status.sending == 0, retryAt.isEmpty, try !mayGo() else { return false }
        // What is held by itself waits for a time, which the process that sends knows.
        return try connection.value("SELECT 1 FROM \"_outbox\" WHERE \"state\"<2 AND \"held\"=\"ord\" LIMIT 1") == nil
    }

    /// Milliseconds until an entry that failed for now may be tried again; nil where none waits for time.
    package func nextRetryDelay() -> Int64? {
        // What was due when a batch was last looked for, and is in none, waits for something else than time.
        let next = retryAt.values.lazy.filter { [gatheredAt] in $0 > gatheredAt }.min()
        return next.map { max(0, $0 - options.time.uptime()) }
    }

    /// Identities that have waiting entries.
    package func lanes() throws -> [String?] {
        var result: [String?] = []
        var last = try connection.withStatement(StoreSQL.firstLane) { statement in
            try statement.step() ? statement.text(at: 0) : nil
        }
        while let lane = last {
            result.append(laneIdentity(lane))
            last = try connection.withStatement(StoreSQL.nextLane) { statement in
                statement.bind(lane, at: 1)
                return try statement.step() ? statement.text(at: 0) : nil
            }
        }
        return result
    }

    /// The first entries of a lane that may go, in order. Stops reading when it has enough.
    ///
    /// - Parameters:
    ///   - first: Where to begin: no entry before it may go.
    ///   - held: Gets what is stepped over and need not be again.
    private func gather(
        _ batch: inout Gathering, _ identity: String?, from first: Int64 = .min, limit: Int, plainOnly: Bool,
        _ held: inout HeldEntries
    ) throws {
        var units: Set<Int64> = []
        try connection.withStatement(StoreSQL.lane) { statement in
            statement.bind(laneText(identity), at: 1)
            statement.bind(first, at: 2)
            while batch.entries.count < limit, batch.bytes < Gathering.byteLimit, try statement.step() {
                lookedAt += 1
                let order = statement.integer(at: 0)
                if hasUnits, let unit = try unit(of: order) {
                    if plainOnly || !units.insert(unit).inserted { continue }
                    guard let whole = try adding(unit, to: batch, &held) else { continue }
                    // Whole or not at all; one that is too large for a request goes alone.
                    let fits = whole.entries.count <= limit && whole.bytes <= Gathering.byteLimit
                    if fits || batch.entries.isEmpty { batch = whole }
                    continue
                }
                let waitsForEarlier = statement.integer(at: 16) != 0
                if waitsForEarlier {
                    guard held.hasRoom else { continue }
                    let (model, id) = (statement.text(at: 2), statement.text(at: 3))
                    held.note(order, by: try earlierChange(than: order, model, id, batch))
                    continue
                }
                if case .held(let holder) = ownStanding(order, statement.text(at: 2)) {
                    held.note(order, by: holder)
                    continue
                }
                let entry = OutboxEntry(statement)
                if plainOnly, entry.hasOperations { continue }
                switch try isHeld(entry, &batch) {
                case .free: batch.take(entry)
                case .held(let holder): held.note(order, by: holder)
                }
            }
        }
    }

    /// Whether an entry refers to a record whose create is parked, or waits before it and is not in the same batch.
    func isHeld(_ entry: OutboxEntry, _ batch: inout Gathering) throws -> Standing {
        guard entry.kind != .delete, let table = context.tables[entry.model], !table.parents.isEmpty else {
            return .free
        }
        var known: JSONObject?
        var needed: [Int64] = []
        for parent in table.parents {
            let mayBeHeld = try batch.waiting[parent.target] ?? hasUnsentCreates(parent.target)
            batch.waiting[parent.target] = mayBeHeld
            guard mayBeHeld else { continue }
            let fields = known ?? entry.fields
            known = fields
            guard let id = table.parentID(parent.positions, in: fields) else { continue }
            if parent.target == entry.model, id == entry.id { continue }
            if let create = batch.creates[ByteText(parent.target + "\u{0}" + id)] {
                if !batch.joinsParents { return .held(by: nil) }
                needed.append(create)
                continue
            }
            switch try create(parent.target, id, &batch) {
            case (let order, .parked)?: return .held(by: order)
            case (let order, .queued)?, (let order, .sealed)?: if order < entry.order { return .held(by: order) }
            // It may still be refused, or be overtaken by what refers to it; soon that is known.
            case (_, .sending)?: return .held(by: nil)
            case nil: break
            }
        }
        if !needed.isEmpty { batch.needs[entry.order] = needed }
        return .free
    }

    /// A record's unsent create, looked for once for all that refer to it: ten thousand may, and be held for it.
    private func create(
        _ model: String, _ id: String, _ batch: inout Gathering
    ) throws -> (order: Int64, state: MutationState)? {
        let key = ByteText(model + "\u{0}" + id)
        if let known = batch.unsent[key] { return known }
        let found = try connection.withStatement(StoreSQL.createOf) { statement -> (Int64, MutationState)? in
            statement.bind(model, at: 1)
            statement.bind(id, at: 2)
            guard try statement.step(), let state = MutationState(rawValue: statement.integer(at: 1)) else {
                return nil
            }
            return (statement.integer(at: 0), state)
        }
        batch.unsent[key] = .some(found)
        return found
    }

    private func hasUnsentCreates(_ model: String) throws -> Bool {
        try connection.withStatement(StoreSQL.hasUnsentCreates) { statement in
            statement.bind(model, at: 1)
            return try statement.step()
        }
    }
}

/// A batch while it is put together.
struct Gathering {
    /// Whether an entry may go together with the create of a record that it refers to.
    let joinsParents: Bool
    private(set) var entries: [OutboxEntry] = []
    private(set) var orders: Set<Int64> = []
    /// What their values come to in a request.
    private(set) var bytes = 0
    /// A request takes no more behind so many: AppSync's own limit, and an eighth of our hub's. One that is larger goes alone.
    static let byteLimit = 1 << 20
    /// The creates among them, by model and key.
    private(set) var creates: [ByteText: Int64] = [:]
    /// By entry, the creates among them without which it must not be carried out.
    var needs: [Int64: [Int64]] = [:]
    /// Whether a create of a model is unsent at all: without one, no entry's fields need to be read.
    var waiting: [String: Bool] = [:]
    /// Unsent creates by model and key; none for a record that was looked for and has none.
    var unsent: [ByteText: (order: Int64, state: MutationState)?] = [:]

    init(joinsParents: Bool) { self.joinsParents = joinsParents }

    mutating func take(_ entry: OutboxEntry) {
        if entry.kind == .create { creates[ByteText(entry.model + "\u{0}" + entry.id)] = entry.order }
        entries.append(entry)
        orders.insert(entry.order)
        bytes += entry.fieldsJSON.utf8.count + entry.baseJSON.utf8.count
    }
}
