import Basics
import Models

extension StoreTransaction {
    /// The waiting entries as JSON, one a line, for another store or for a person.
    ///
    /// - Parameter after: Begins behind this entry, for outboxes that do not fit into memory at once.
    public func exportOutbox(after: Int64 = .min, limit: Int = 1000) throws -> (lines: [String], last: Int64?) {
        let entries = try outbox(after: after, limit: limit)
        let lines = try entries.map { entry in
            let unit = try connection.rows(
                """
                SELECT "unit",(SELECT count(*) FROM "_unit" AS m WHERE m."unit"=u."unit") FROM "_unit" AS u WHERE "ord"=?
                """, [.integer(entry.order)]
            ).first?.compactMap(\.integer)
            let object: JSONValue = [
                "mutation": .string(entry.mutationID), "model": .string(entry.model), "id": .string(entry.id),
                "kind": .string(entry.kind.name), "fields": .object(entry.fields),
                "baseVersion": entry.baseVersion.map { .integer($0) } ?? .null, "base": .object(entry.base),
                "identity": entry.identity.map { .string($0) } ?? .null,
                "createdAt": .string(entry.createdAt.iso8601), "state": .string(entry.state.name),
                "reason": entry.reason.map { .string($0) } ?? .null,
                "condition": entry.condition?.json ?? .null, "attempts": .integer(Int64(entry.attempts)),
                "unit": unit.map { .integer($0[0]) } ?? .null, "unitSize": unit.map { .integer($0[1]) } ?? .null,
            ]
            return object.text
        }
        return (lines, entries.last?.order)
    }

    /// Takes in entries that ``exportOutbox(after:limit:)`` wrote, with their rows; gives how many were new.
    ///
    /// An entry whose mutation or whose record's create is here already is passed over, so a file may be taken in twice; no
    /// other is. A change of a record that is not here waits all the same, and shows once the backend's row comes. Each
    /// keeps the name it was made under, and so is applied once even where the other store sends it too. What was to
    /// go as one goes as one: it is taken in whole, or passed over whole where any of it is here; where the lines hold only
    /// a part of it, nothing is taken in at all.
    @discardableResult
    public func importOutbox(_ lines: some Sequence<String>) throws -> Int {
        let core = try writer()
        let lines = Array(lines)
        var count = 0
        try whole(isCascade: true) {
            let known = try unitsThatAreHere(lines)
            /// The new entries of the units of the other store.
            var units: [Int64: [Int64]] = [:]
            for (index, line) in lines.enumerated() where !line.isEmpty {
                guard let (order, unit) = try importEntry(line, index + 1, known, core) else { continue }
                count += 1
                if let unit { units[unit, default: []].append(order) }
            }
            for unit in units.keys.sorted() {
                guard let orders = units[unit], orders.count > 1 else { continue }
                try core.makeUnit(orders)
            }
        }
        return count
    }

    /// The units among the lines of which something waits here already.
    private func unitsThatAreHere(_ lines: [String]) throws -> Set<Int64> {
        var known: Set<Int64> = []
        var sizes: [Int64: (line: Int, missing: Int64)] = [:]
        for (index, line) in lines.enumerated() where line.utf8.count > 0 {
            guard let object = try? JSONValue(parsing: line), let unit = object["unit"]?.integer,
                let mutation = object["mutation"]?.string
            else { continue }
            let size = object["unitSize"]?.integer ?? 0
            sizes[unit, default: (index + 1, size)].missing -= 1
            if try isWaiting(mutation) { known.insert(unit) }
        }
        for (line, missing) in sizes.values.sorted(by: { $0.line < $1.line }) where missing > 0 {
            throw StoreError.invalidImport(
                line: line, reason: "\(missing) more changes go as one with it and are not here; take them in together")
        }
        return known
    }

    private func isWaiting(_ mutation: String) throws -> Bool {
        try connection.value("SELECT 1 FROM \"_outbox\" WHERE \"mutation\"=?", [.text(mutation)]) != nil
    }

    /// Gives the new entry's number and its unit in the other store; nil for an entry that is passed over.
    private func importEntry(
        _ line: String, _ number: Int, _ knownUnits: Set<Int64>, _ core: StoreCore
    ) throws -> (order: Int64, unit: Int64?)? {
        guard let object = try? JSONValue(parsing: line), let mutation = object["mutation"]?.string,
            let model = object["model"]?.string, let id = object["id"]?.string,
            let kind = MutationKind.allCases.first(where: { $0.name == object["kind"]?.string }),
            let fields = object["fields"]?.object, let base = object["base"]?.object
        else { throw StoreError.invalidImport(line: number, reason: "this is no outbox entry") }
        guard let table = context.tables[model] else {
            throw StoreError.invalidImport(line: number, reason: "the store has no model \(printable(model))")
        }
        let unit = object["unit"]?.integer
        let old = try table.fetch(id, on: connection)
        if let unit {
            // The backend says what is there already of a transaction; a part of it is no transaction.
            if knownUnits.contains(unit) { return nil }
        } else if try isWaiting(mutation) || (kind == .create && old != nil) {
            return nil
        }
        let values: [Value]
        do {
            let shown = old.map { table.wire.object($0.values) }
            let plain = JSONObject(fields.members.map { (key: $0.key, value: $0.value.over(shown?[$0.key] ?? .null)) })
            values = try table.wire.values(plain, over: kind == .update ? old?.values : nil)
        } catch {
            throw StoreError.invalidImport(line: number, reason: error.description)
        }
        let isPart = kind == .update && old == nil
        if kind != .delete, let problem = table.wire.problem(values), !(isPart && problem.isMissing) {
            throw StoreError.invalidImport(line: number, reason: "\(problem.field): \(problem.reason)")
        }
        let isParked = object["state"]?.string == "parked"
        let identity = object["identity"]?.string
        let state = isParked ? MutationState.parked : .sealed
        // Two entries of one record differ in their seal, so the number is set with it.
        core.lastOrder += 1
        let order = core.lastOrder
        try connection.run(
            """
            INSERT INTO "_outbox"("ord","mutation","model","id","kind","fields","version","base","identity","created",\
            "state","seal","reason","condition","attempts") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
            """,
            [
                .integer(order), .text(mutation), .text(model), .text(id), .integer(kind.rawValue),
                .text(JSONValue.object(fields).text), object["baseVersion"]?.integer.map { .integer($0) } ?? .null,
                .text(JSONValue.object(base).text), .text(laneText(identity)),
                .integer(
                    object["createdAt"]?.string.flatMap { DateTime(iso8601: $0) }?.milliseconds
                        ?? time.now().milliseconds),
                .integer(state.rawValue), .integer(order), object["reason"]?.string.map { .text($0) } ?? .null,
                object["condition"].flatMap { PredicateNode(json: $0) }.map { .text($0.json.text) } ?? .null,
                // The other store may have sent it, or may send it yet.
                .integer(isParked ? 0 : max(1, object["attempts"]?.integer ?? 0)),
            ])
        core.count(identity) { $0.add(1, state) }
        if kind == .create, let old, let version = old.version, try core.shadow(model, id) == nil {
            // The backend's own record of that name comes back where this create is taken back.
            try core.putShadow(
                model, id,
                Shadow(
                    version: version, lastChangedAt: old.lastChangedAt ?? 0, isDeleted: false,
                    object: table.wire.object(old.values)))
        }
        switch kind {
        case .update where old == nil: break
        case .create, .update:
            try table.put(
                id, StoreTable.Row(values: values, version: old?.version, lastChangedAt: old?.lastChangedAt),
                on: connection)
            core.note(old == nil ? .created : .updated, table, id, values, isLocal: true)
        case .delete:
            core.deletions.insert(model)
            if let old {
                _ = try table.delete(id, on: connection)
                core.note(.deleted, table, id, old.values, isLocal: true)
            }
        }
        return (order, unit)
    }
}
