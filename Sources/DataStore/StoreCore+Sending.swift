import Basics
import Models
import SQLite

extension StoreCore {
    /// Puts back to *queued* what was being sent when the store was closed; call once before sending.
    ///
    /// Such entries may have arrived, so nothing is merged into them any more.
    package func resetSending() throws {
        retryAt.removeAll()
        guard outboxStatus.sending > 0 else { return }
        _ = try commit(nil, .full) { _ in
            try connection.run("UPDATE \"_outbox\" SET \"state\"=1 WHERE \"state\"=2")
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
    package func nextMutations(
        limit: Int, busy: Set<String?> = [], plainOnly: Bool = false
    ) throws -> MutationBatch? {
        if isClosed { throw StoreError.closed }
        guard counts.values.contains(where: { $0.queued > 0 }) else { return nil }
        let lane = try storeErrors {
            var oldest: (identity: String?, order: Int64)?
            for identity in try lanes() where !busy.contains(identity) {
                // One entry is enough to compare lanes by their age.
                guard let order = try sendable(identity, limit: 1, plainOnly: plainOnly).first?.order else { continue }
                if let oldest, oldest.order < order { continue }
                oldest = (identity, order)
            }
            return try oldest.map { ($0.identity, try sendable($0.identity, limit: limit, plainOnly: plainOnly)) }
        }
        guard let lane else { return nil }
        let now = options.time.now().milliseconds
        try commit(nil, .full) { _ in
            for entry in lane.1 {
                try connection.withStatement(StoreSQL.markSending) { statement in
                    statement.bind(now, at: 1)
                    statement.bind(entry.order, at: 2)
                    _ = try statement.step()
                }
            }
            count(lane.0) {
                $0.queued -= lane.1.count
                $0.sending += lane.1.count
            }
        }
        return MutationBatch(identity: lane.0, entries: lane.1, units: try units(of: lane.1))
    }

    /// Whether something may go that ``nextMutations(limit:busy:plainOnly:)`` passes over with `plainOnly`, where nothing
    /// plain may.
    package var hasQueuedSpecials: Bool {
        guard counts.values.contains(where: { $0.queued > 0 }), let lanes = try? lanes() else { return false }
        return lanes.contains { (try? sendable($0, limit: 1, plainOnly: false).isEmpty) == false }
    }

    /// Milliseconds until an entry that failed for now may be tried again; nil where none waits for time.
    package func nextRetryDelay() -> Int64? {
        let now = options.time.uptime()
        return retryAt.values.min().map { max(0, $0 - now) }
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
    private func sendable(_ identity: String?, limit: Int, plainOnly: Bool) throws -> [OutboxEntry] {
        let now = options.time.uptime()
        var result: [OutboxEntry] = []
        var taken: Set<String> = []
        var units: Set<Int64> = []
        // Whether a create of a model is unsent at all: without one, no entry's fields need to be read.
        var waiting: [String: Bool] = [:]
        try connection.withStatement(StoreSQL.lane) { statement in
            statement.bind(laneText(identity), at: 1)
            while result.count < limit, try statement.step() {
                if hasUnits, let unit = try unit(of: statement.integer(at: 0)) {
                    if plainOnly || !units.insert(unit).inserted { continue }
                    let members = try sendableUnit(unit, taken, &waiting)
                    // Whole or not at all; one that is too large for a request goes alone.
                    if members.isEmpty || (result.count + members.count > limit && !result.isEmpty) { continue }
                    for entry in members where entry.kind == .create { taken.insert(entry.model + "\u{0}" + entry.id) }
                    result += members
                    continue
                }
                let waitsForEarlier = statement.integer(at: 16) != 0
                if waitsForEarlier { continue }
                if !retryAt.isEmpty, let time = retryAt[statement.integer(at: 0)], time > now { continue }
                let entry = OutboxEntry(statement)
                // Its model is not sent any more, or not now: it stays.
                if context.tables[entry.model]?.policy.sends == false { continue }
                if plainOnly, entry.hasOperations { continue }
                if try isHeld(entry, taken, &waiting) { continue }
                if entry.kind == .create { taken.insert(entry.model + "\u{0}" + entry.id) }
                result.append(entry)
            }
        }
        return result
    }

    /// Whether an entry refers to a record whose create is parked, or waits before it and is not in the same batch.
    func isHeld(_ entry: OutboxEntry, _ taken: Set<String>, _ waiting: inout [String: Bool]) throws -> Bool {
        guard entry.kind != .delete, let table = context.tables[entry.model], !table.parents.isEmpty else {
            return false
        }
        var known: JSONObject?
        for parent in table.parents {
            let mayBeHeld = try waiting[parent.target] ?? hasUnsentCreates(parent.target)
            waiting[parent.target] = mayBeHeld
            guard mayBeHeld else { continue }
            let fields = known ?? entry.fields
            known = fields
            let key = parent.positions.map { fields[table.model.fields[$0].name] ?? .null }
            guard !key.contains(.null) else { continue }
            let id = key.map { $0.string ?? $0.text }.joined(separator: "#")
            if taken.contains(parent.target + "\u{0}" + id) || (parent.target == entry.model && id == entry.id) {
                continue
            }
            let isUnsent = try connection.withStatement(StoreSQL.createOf) { statement in
                statement.bind(parent.target, at: 1)
                statement.bind(id, at: 2)
                guard try statement.step() else { return false }
                switch MutationState(rawValue: statement.integer(at: 1)) {
                case .parked: return true
                case .queued, .sealed: return statement.integer(at: 0) < entry.order
                // It may still be refused, or be overtaken by what refers to it.
                case .sending: return true
                case nil: return false
                }
            }
            if isUnsent { return true }
        }
        return false
    }

    private func hasUnsentCreates(_ model: String) throws -> Bool {
        try connection.withStatement(StoreSQL.hasUnsentCreates) { statement in
            statement.bind(model, at: 1)
            return try statement.step()
        }
    }
}
