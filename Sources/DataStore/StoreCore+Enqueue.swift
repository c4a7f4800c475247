import Basics
import Models
import SQLite

/// The outbox and the rows disagree: a fault of the store itself, which undoes the transaction.
struct OutboxInconsistency: Error, CustomStringConvertible {
    let description: String
}

extension StoreCore {
    /// Adds a change to the outbox, or merges it into the one of its record that was never sent.
    func enqueue(
        _ kind: MutationKind, _ table: StoreTable, _ id: String, fields: [UInt8], base: [UInt8], version: Int64?,
        _ identity: String?, rounds: Int = 0, condition: PredicateNode? = nil
    ) throws {
        if isListenedTo {
            let record = try table.fetch(id, on: connection).map { table.record($0.values) }
            events.append(.outboxMutationEnqueued(model: table.model.name, id: id, kind, record))
        }
        if let condition {
            return try enqueue(kind, table.model.name, id, fields, base, version, identity, condition)
        }
        if try insertEntry(kind, table.model.name, id, fields, base, version, identity, rounds) { return }
        guard let waiting = try entries(table.model.name, id).last(where: { $0.state == .queued }) else {
            throw OutboxInconsistency(description: "\(table.model.name) \(id) has no open outbox entry")
        }
        if kind == .create, waiting.kind == .delete, waiting.baseVersion == nil, try otherEntries(than: waiting).isEmpty
        {
            // Deleted while the backend had lost it: whoever saves it again makes it there. (Behind its own create, which
            // is on its way, it is an update of that.)
            try removeEntry(waiting)
            _ = try insertEntry(kind, table.model.name, id, fields, base, version, identity, rounds)
            return
        }
        if isOfEarlierTransaction(waiting), waiting.kind != .delete {
            // This transaction goes as one: it takes nothing of another with it.
            try seal(waiting.order)
            guard try insertEntry(kind, table.model.name, id, fields, base, version, identity, rounds) else {
                throw OutboxInconsistency(description: "\(table.model.name) \(id) has two open outbox entries")
            }
            return
        }
        let new = PendingMutation(
            kind: kind, fields: JSONObject(parsing: text(fields)), base: JSONObject(parsing: text(base)))
        if kind == .update, try refersToCreate(after: waiting, table, new.fields) {
            // Merged it would go before what it refers to, or be carried out without that.
            try seal(waiting.order)
            guard try insertEntry(kind, table.model.name, id, fields, base, version, identity, rounds) else {
                throw OutboxInconsistency(description: "\(table.model.name) \(id) has two open outbox entries")
            }
            return
        }
        // What only the backend writes is no part of a change, though a delete keeps it for whoever takes it back.
        let before = JSONObject(waiting.base.members.filter { table.model.field($0.key)?.isReadOnly != true })
        let old = PendingMutation(kind: waiting.kind, fields: waiting.fields, base: before)
        let kept = try shadow(table.model.name, id)
        let result = OutboxMerge.merge(old, new, over: kept)
        if waiting.identity != identity || isOfEarlierTransaction(waiting), kind == .create,
            case .replace(let merged) = result
        {
            // Deleted by one, taken back by another before anyone heard of it: the second one's update is left. So it is
            // where a transaction that goes as one takes it back.
            try removeEntry(waiting)
            _ = try insertEntry(
                merged.kind, table.model.name, id, JSONValue.object(merged.fields).bytes,
                JSONValue.object(merged.base).bytes, waiting.baseVersion, identity, rounds)
        } else if waiting.identity != identity, result != .cancel {
            // Two people's work is never mixed: the first one's entry stays as it is.
            try seal(waiting.order)
            guard try insertEntry(kind, table.model.name, id, fields, base, version, identity, rounds) else {
                throw OutboxInconsistency(description: "\(table.model.name) \(id) has two open outbox entries")
            }
            return
        } else {
            switch result {
            case .cancel:
                try removeEntry(waiting)
                if kept == nil, kind == .update { try disownLost(table, id) }
            case .replace(let merged): try rewrite(waiting, merged, version: waiting.baseVersion)
            case .impossible:
                throw OutboxInconsistency(
                    description: "\(table.model.name) \(id): \(kind.name) cannot follow \(waiting.kind.name)")
            }
        }
        if kept != nil {
            if kind == .create || result == .cancel { try showKept(table, id) }
        } else if kind == .create {
            // The record was deleted and is back before anyone heard of it: the backend's version is its own again, and so is
            // what only the backend writes.
            let version: Value = waiting.baseVersion.map { .integer($0) } ?? .null
            let known = try table.wire.values(waiting.base)
            let fields = table.model.fields.indices.filter { table.model.fields[$0].isReadOnly && !known[$0].isNull }
            _ = try table.table.update(
                key: id, fields: fields.map { ($0, known[$0]) }, metadata: [(StoreTable.versionColumn, version)],
                on: connection)
            if !fields.isEmpty, let row = try table.fetch(id, on: connection) {
                note(.updated, table, id, row.values, isLocal: true)
            }
        }
    }

    /// Whether some of a change's fields name a record whose create waits behind an entry.
    private func refersToCreate(after entry: OutboxEntry, _ table: StoreTable, _ fields: JSONObject) throws -> Bool {
        try table.parents.contains { parent in
            guard let id = table.parentID(parent.positions, in: fields) else { return false }
            return try connection.withStatement(StoreSQL.createOf) { statement in
                statement.bind(parent.target, at: 1)
                statement.bind(id, at: 2)
                return try statement.step() && statement.integer(at: 0) > entry.order
            }
        }
    }

    /// A change that the backend makes only if a condition holds there stands for itself: nothing is merged into it, nor
    /// it into what waits.
    private func enqueue(
        _ kind: MutationKind, _ model: String, _ id: String, _ fields: [UInt8], _ base: [UInt8], _ version: Int64?,
        _ identity: String?, _ condition: PredicateNode
    ) throws {
        if let open = try entries(model, id).last, open.state == .queued { try seal(open.order) }
        guard try insertEntry(kind, model, id, fields, base, version, identity, 0, condition),
            let entry = try entries(model, id).last
        else { throw OutboxInconsistency(description: "\(model) \(id) has two open outbox entries") }
        try seal(entry.order)
    }

    func enqueueDelete(
        _ id: String, _ old: StoreTable.Row, _ table: StoreTable, _ identity: String?, condition: PredicateNode? = nil
    ) throws {
        let model = table.model.name
        let waiting = old.version == nil ? try entries(model, id) : []
        var version = old.version
        if old.version == nil {
            // Never confirmed: either its create waits or is on its way, or the backend has never heard of it.
            let first = waiting.first
            if first == nil {
                let known = try knownUnread(id, old, model)
                guard known.isKnown else { return }
                version = known.version
            }
            if let first, first.kind == .create,
                first.state == .parked || (first.state == .sealed && first.attempts == 0),
                !waiting.contains(where: { $0.state == .sending }),
                // A transaction that goes as one goes whole; what is deleted of it since is deleted after it.
                try waiting.allSatisfy({ try companions(of: $0.order).isEmpty })
            {
                for entry in waiting { try removeEntry(entry) }
                return try showKept(table, id)
            }
            if let first, first.kind == .create, first.state == .queued, condition != nil {
                // The backend never heard of it, so it has nothing to check.
                try removeEntry(first)
                return try showKept(table, id)
            }
        }
        deletions.insert(model)
        try enqueue(
            .delete, table, id, fields: table.wire.json(old.values, table.wire.keyPositions),
            base: table.wire.json(old.values, Array(old.values.indices), skippingNull: true), version: version,
            identity,
            condition: condition)
    }

    /// Whether the backend knows of a row that has no version here and nothing waiting, and in which version it was last
    /// seen: its confirmed form could not be read, or a restored backend lost it and its author brings it back.
    private func knownUnread(_ id: String, _ row: StoreTable.Row, _ model: String) throws -> (
        isKnown: Bool, version: Int64?
    ) {
        let unread =
            hasQuarantine ? try quarantined("WHERE \"model\"=? AND \"id\"=?", [.text(model), .text(id)]).first : nil
        return (row.lastChangedAt != nil || unread != nil, unread?.version)
    }

    private func insertEntry(
        _ kind: MutationKind, _ model: String, _ id: String, _ fields: [UInt8], _ base: [UInt8], _ version: Int64?,
        _ identity: String?, _ rounds: Int, _ condition: PredicateNode? = nil
    ) throws -> Bool {
        let inserted = try connection.withStatement(StoreSQL.enqueue) { statement in
            statement.bind(options.random.uuid(), at: 1)
            statement.bind(model, at: 2)
            statement.bind(id, at: 3)
            statement.bind(kind.rawValue, at: 4)
            fields.withUnsafeBufferPointer { statement.bind(utf8: $0, at: 5) }
            if let version { statement.bind(version, at: 6) }
            base.withUnsafeBufferPointer { statement.bind(utf8: $0, at: 7) }
            statement.bind(laneText(identity), at: 8)
            statement.bind(options.time.now().milliseconds, at: 9)
            statement.bind(rounds, at: 10)
            if let condition { statement.bind(condition.json.text, at: 11) }
            statement.bind(lastOrder + 1, at: 12)
            _ = try statement.step()
            return connection.changes > 0
        }
        if inserted {
            lastOrder += 1
            count(identity) { $0.queued += 1 }
            openUnit?.insert(connection.lastInsertedRow)
        }
        return inserted
    }

    /// Keeps an entry as it is: later changes of its record get an entry of their own.
    func seal(_ order: Int64) throws {
        try connection.run("UPDATE \"_outbox\" SET \"state\"=1, \"seal\"=\"ord\" WHERE \"ord\"=?", [.integer(order)])
    }

    /// Removes an entry that is settled or taken back.
    func removeEntry(_ entry: OutboxEntry) throws {
        try connection.withStatement(StoreSQL.removeEntry) { statement in
            statement.bind(entry.order, at: 1)
            _ = try statement.step()
        }
        removedEntries = true
        try releaseHeld(by: entry.order)
        if hasUnits { try leaveUnit(entry.order) }
        retryAt[entry.order] = nil
        count(entry.identity) { $0.add(-1, entry.state) }
    }

    /// Gives a waiting entry another content; its place and its name stay.
    func rewrite(_ entry: OutboxEntry, _ content: PendingMutation, version: Int64?) throws {
        try connection.run(
            "UPDATE \"_outbox\" SET \"kind\"=?, \"fields\"=?, \"base\"=?, \"version\"=? WHERE \"ord\"=?",
            [
                .integer(content.kind.rawValue), .text(JSONValue.object(content.fields).text),
                .text(JSONValue.object(content.base).text), version.map { .integer($0) } ?? .null,
                .integer(entry.order),
            ])
        // It may refer to others now, and be no create any more.
        try unhold(entry.order)
        if content.kind != entry.kind { try releaseHeld(by: entry.order) }
    }

    /// The entries of one record in order.
    func entries(_ model: String, _ id: String) throws -> [OutboxEntry] {
        try connection.withStatement(StoreSQL.entriesOfRecord) { statement in
            statement.bind(model, at: 1)
            statement.bind(id, at: 2)
            var result: [OutboxEntry] = []
            while try statement.step() { result.append(OutboxEntry(statement)) }
            return result
        }
    }

    /// The other entries of an entry's record; nearly always there are none.
    func otherEntries(than entry: OutboxEntry) throws -> [OutboxEntry] {
        try connection.withStatement(StoreSQL.otherEntriesOfRecord) { statement in
            statement.bind(entry.model, at: 1)
            statement.bind(entry.id, at: 2)
            statement.bind(entry.order, at: 3)
            var result: [OutboxEntry] = []
            while try statement.step() { result.append(OutboxEntry(statement)) }
            return result
        }
    }

    /// One entry by its number.
    func entry(_ order: Int64) throws -> OutboxEntry? {
        try connection.withStatement(StoreSQL.entry) { statement in
            statement.bind(order, at: 1)
            return try statement.step() ? OutboxEntry(statement) : nil
        }
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

extension OutboxEntry {
    /// Reads a row of ``StoreSQL/columns``.
    init(_ statement: Statement) {
        order = statement.integer(at: 0)
        mutationID = statement.text(at: 1)
        model = statement.text(at: 2)
        id = statement.text(at: 3)
        kind = MutationKind(rawValue: statement.integer(at: 4)) ?? .update
        fieldsJSON = statement.text(at: 5)
        baseVersion = statement.optionalInteger(at: 6)
        baseJSON = statement.text(at: 7)
        identity = laneIdentity(statement.text(at: 8))
        createdAt = DateTime(milliseconds: statement.integer(at: 9))
        attempts = Int(statement.integer(at: 10))
        rounds = Int(statement.integer(at: 11))
        state = MutationState(rawValue: statement.integer(at: 12)) ?? .parked
        reason = statement.optionalText(at: 13)
        condition = statement.optionalText(at: 14).flatMap { try? JSONValue(parsing: $0) }
            .flatMap { PredicateNode(json: $0) }
        lastTriedAt = statement.optionalInteger(at: 15).map { DateTime(milliseconds: $0) }
    }
}

extension OutboxStatus {
    mutating func add(_ count: Int, _ state: MutationState) {
        switch state {
        case .queued, .sealed: queued += count
        case .sending: sending += count
        case .parked: parked += count
        }
    }
}
