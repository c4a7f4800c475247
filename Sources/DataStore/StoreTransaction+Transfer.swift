import Basics
import Models
import System

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
    /// An entry whose mutation waits here or was confirmed here, or whose record's create is here already, is passed
    /// over, so a file may be taken in twice; so is a create of a record that the backend has deleted since; no other is.
    /// A change of a record that is not here waits all the same, and shows once the backend's row comes. Each keeps the
    /// name it was made under, and so is applied once even where the other store sends it too. What was to go as one
    /// goes as one: it is taken in whole, or passed over whole where any of it is here; where the lines hold only a part
    /// of it, nothing is taken in at all.
    @discardableResult
    public func importOutbox(_ lines: some Sequence<String>) throws -> Int {
        let lines = Array(lines)
        return try importOutbox { body in
            for (index, line) in lines.enumerated() { try body(line, index + 1) }
        }.new
    }

    /// Takes in the entries of a file as ``importOutbox(_:)`` does, line by line, so that memory does not grow with it.
    ///
    /// - Throws: ``StoreError/invalidImport(file:line:reason:)``, which names the file, the line and what is wrong there;
    ///   nothing of the file is taken in then. ``StoreError/unusableFile(_:)`` where it cannot be read at all.
    @discardableResult
    public func importOutbox(fromFile path: String) throws -> OutboxImport {
        do {
            return try importOutbox { body in try Files.readLines(path, limit: Self.importLimit, body) }
        } catch StoreError.invalidImport(_, let line, let reason) {
            throw StoreError.invalidImport(file: path, line: line, reason: reason)
        } catch let error as Files.NotText {
            throw StoreError.invalidImport(file: path, line: error.line, reason: "it is not UTF-8 text")
        } catch let error as Files.LongLine {
            throw StoreError.invalidImport(
                file: path, line: error.line, reason: "it is longer than \(error.limit) bytes, which no entry is")
        } catch let error as SystemError {
            throw StoreError.unusableFile("\(error)")
        }
    }

    /// Bytes of a line at most: many times what a backend takes of a record.
    private static let importLimit = 1 << 24

    /// Reads the lines twice: what goes as one is known only at the end.
    private func importOutbox(_ each: ((String, Int) throws -> Void) throws -> Void) throws -> OutboxImport {
        let core = try writer()
        var result = OutboxImport()
        try whole(isCascade: true) {
            let confirmed = Set(try connection.rows("SELECT \"mutation\" FROM \"_journal\"").compactMap { $0[0].text })
            var units = ImportedUnits()
            try each { line, number in
                if !line.isEmpty { try note(line, number, confirmed, &units) }
            }
            try units.check()
            try each { line, number in
                guard !line.isEmpty else { return }
                result.all += 1
                guard let (order, unit) = try importEntry(line, number, units, confirmed, core, &result) else { return }
                result.new += 1
                guard let unit, let first = units.took(unit, order) else { return }
                // Named by its first entry, which stands for itself until there is another one.
                core.hasUnits = true
                if first.isSecond { try putUnit(first.order, first.order) }
                try putUnit(order, first.order)
            }
            try units.checkTaken()
        }
        return result
    }

    private func putUnit(_ order: Int64, _ unit: Int64) throws {
        try connection.run("INSERT INTO \"_unit\" VALUES(?,?)", [.integer(order), .integer(unit)])
    }

    /// Notes what goes as one with an entry, and whether some of that waits here already or was confirmed here.
    private func note(
        _ line: String, _ number: Int, _ confirmed: Set<String>, _ units: inout ImportedUnits
    ) throws {
        guard let object = try? JSONValue(parsing: line), let unit = object["unit"]?.integer,
            let mutation = object["mutation"]?.string
        else { return }
        units.note(unit, size: object["unitSize"]?.integer ?? 0, line: number)
        if try confirmed.contains(mutation) || isWaiting(mutation) { units.isHere.insert(unit) }
    }

    private func isWaiting(_ mutation: String) throws -> Bool {
        try connection.value("SELECT 1 FROM \"_outbox\" WHERE \"mutation\"=?", [.text(mutation)]) != nil
    }

    /// Makes sure that an entry's values are of the record that it names: else another one would show what nobody sends.
    private func checkKey(
        _ id: String, _ kind: MutationKind, _ fields: JSONObject, _ base: JSONObject, _ table: StoreTable, _ number: Int
    ) throws {
        for (name, part) in [("fields", fields), ("base", base)] {
            let isNeeded = name == "fields" && kind != .update
            guard isNeeded || table.model.primaryKey.contains(where: { part[$0] != nil }) else { continue }
            if table.parentID(table.wire.keyPositions, in: part)?.hasSameBytes(as: id) == true { continue }
            throw StoreError.invalidImport(
                line: number, reason: "\(name) must be of \(table.model.name) \(printable(id)) and name another key")
        }
    }

    /// Gives the new entry's number and its unit in the other store; nil for an entry that is passed over.
    private func importEntry(
        _ line: String, _ number: Int, _ units: ImportedUnits, _ confirmed: Set<String>, _ core: StoreCore,
        _ result: inout OutboxImport
    ) throws -> (order: Int64, unit: Int64?)? {
        guard let object = try? JSONValue(parsing: line), case .object = object else {
            throw StoreError.invalidImport(
                line: number, reason: "this is no outbox entry: \(printable(String(line.prefix(80))))")
        }
        func wrong(_ key: String, _ wanted: String) -> StoreError {
            let value = object[key].map { printable(String($0.text.prefix(80))) } ?? "missing"
            return .invalidImport(line: number, reason: "\(key) must be \(wanted) and is \(value)")
        }
        guard let mutation = object["mutation"]?.string else { throw wrong("mutation", "a text") }
        guard let model = object["model"]?.string else { throw wrong("model", "a text") }
        guard let id = object["id"]?.string else { throw wrong("id", "a text") }
        guard let kind = MutationKind.allCases.first(where: { $0.name == object["kind"]?.string }) else {
            throw wrong("kind", "create, update or delete")
        }
        guard let fields = object["fields"]?.object else { throw wrong("fields", "an object") }
        guard let base = object["base"]?.object else { throw wrong("base", "an object") }
        let condition = object["condition"].flatMap { PredicateNode(json: $0) }
        // Without it a change would be made that was not to be.
        if condition == nil, object["condition"]?.isNull == false { throw wrong("condition", "a condition") }
        guard let table = context.tables[model] else {
            throw StoreError.invalidImport(line: number, reason: "the store has no model \(printable(model))")
        }
        let unit = object["unit"]?.integer
        let old = try table.fetch(id, on: connection)
        if let unit {
            // The backend says what is there already of a transaction; a part of it is no transaction.
            if units.isHere.contains(unit) { return nil }
        } else if try confirmed.contains(mutation) || isWaiting(mutation) || (kind == .create && old != nil) {
            return nil
        } else if kind == .create, try core.tombstone(model, id) != nil {
            result.deleted += 1
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
        try checkKey(id, kind, fields, base, table, number)
        let isPart = kind == .update && old == nil
        if kind != .delete, let problem = table.wire.problem(values), !(isPart && problem.isMissing) {
            throw StoreError.invalidImport(line: number, reason: "\(problem.field): \(problem.reason)")
        }
        let waiting = try core.entries(model, id)
        let image = try core.serverImage(old, waiting, table, id)
        let isParked = object["state"]?.string == "parked"
        let identity = object["identity"]?.string
        let state = isParked ? MutationState.parked : .sealed
        // What waits of the record stays before it.
        for open in waiting where open.state == .queued { try core.seal(open.order) }
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
                condition.map { .text($0.json.text) } ?? .null,
                // The other store may have sent it, or may send it yet where it does not wait for a person there.
                .integer(max(isParked ? 0 : 1, object["attempts"]?.integer ?? 0)),
            ])
        core.count(identity) { $0.add(1, state) }
        if let image, let version = old?.version ?? waiting.first?.baseVersion, try core.shadow(model, id) == nil {
            // What is here need not be what the change was made on: the backend's record as it is known here comes back
            // where the change is taken back, and an answer of that version is no news.
            try core.putShadow(
                model, id,
                Shadow(version: version, lastChangedAt: old?.lastChangedAt ?? 0, isDeleted: false, object: image))
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
