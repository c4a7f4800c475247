import Basics
import Models
import SQLite

/// Rows of the backend that this program does not understand: kept aside whole, and read again after it has learned more.
extension StoreCore {
    func quarantine(_ record: UnreadableRecord, _ report: inout ApplyReport) throws {
        report.quarantined += 1
        hasQuarantine = true
        try connection.run(
            """
            INSERT INTO "_quarantine" VALUES(?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "version"=excluded."version", \
            "json"=excluded."json", "reason"=excluded."reason", "at"=excluded."at" \
            WHERE excluded."version">="_quarantine"."version"
            """,
            [
                .text(record.model), .text(Self.slot(of: record)), .integer(record.version), .text(record.json),
                .text(record.reason), .integer(options.time.now().milliseconds),
            ])
        noteQuarantined(record)
    }

    /// Where a row is kept aside: under its key, or, where even that cannot be read, under its content. So several such
    /// rows of a model have a place each, and the same one that comes again has the same.
    static func slot(of record: UnreadableRecord) -> String {
        guard record.id.isEmpty else { return record.id }
        var content = record.json
        if content.utf8.count > slotLimit {
            // A row may be long, and its place is a key: the rest of it stands there as its hash.
            let hash = FNV1a(content).value
            content = text(Array(content.utf8.prefix(slotLimit))) + String(hash, radix: 16)
        }
        return slotMark + record.reason + "\n" + content
    }

    private static let slotLimit = 1000
    /// Begins no key of a record.
    private static let slotMark = "\u{1}"

    /// Rows that are kept aside, by model and key.
    public func quarantined() throws -> [UnreadableRecord] {
        try storeErrors { try quarantined("ORDER BY 1,2") }
    }

    func quarantined(_ which: String, _ values: [Value] = []) throws -> [UnreadableRecord] {
        try connection.rows(
            "SELECT \"model\",\"id\",\"version\",\"json\",\"reason\" FROM \"_quarantine\" \(which)", values
        ).map {
            let slot = $0[1].text ?? ""
            return UnreadableRecord(
                model: $0[0].text ?? "", id: slot.hasPrefix(Self.slotMark) ? "" : slot,
                version: $0[2].integer ?? 0, json: $0[3].text ?? "", reason: $0[4].text ?? "")
        }
    }

    /// Forgets the rows of a model that were kept aside, but for those by which alone it is known that the backend has
    /// what stands here: the answer to its create was one of them.
    func forgetQuarantined(of model: String) throws {
        guard hasQuarantine else { return }
        let table = try context.table(model)
        try connection.run(
            "DELETE FROM \"_quarantine\" WHERE \"model\"=? AND \(unneeded(table))", [.text(model)])
    }

    /// Forgets one of them in a version older than `olderThan`, last changed at the backend at `changedUpTo` at the latest:
    /// of one that does not tell when, nothing is known but its version.
    func forgetQuarantined(_ id: String, _ table: StoreTable, olderThan: Int64 = .max, changedUpTo: Int64) throws {
        let changed = #"CASE WHEN json_valid("json") THEN json_extract("json",'$._lastChangedAt') END"#
        let bound = changedUpTo == .max ? "" : " AND \(changed)<=\(changedUpTo)"
        try connection.run(
            "DELETE FROM \"_quarantine\" WHERE \"model\"=? AND \"id\"=? AND \"version\"<? AND \(unneeded(table))\(bound)",
            [.text(table.model.name), .text(id), .integer(olderThan)])
    }

    /// Forgets those that are gone from the backend, as it was at `changedUpTo`.
    func forgetQuarantined(of model: String, changedUpTo: Int64, where isMissing: (String) -> Bool) throws {
        try commit(nil, .normal) { _ in
            let table = try context.table(model)
            let rows = try connection.rows("SELECT \"id\" FROM \"_quarantine\" WHERE \"model\"=?", [.text(model)])
            for case let id? in rows.map(\.[0].text) where !id.hasPrefix(Self.slotMark) && isMissing(id) {
                // One without a key cannot be missed by it.
                try forgetQuarantined(id, table, changedUpTo: changedUpTo)
            }
        }
    }

    private func unneeded(_ table: StoreTable) -> String {
        "NOT EXISTS(SELECT 1 FROM \(table.table.name) AS r WHERE r.\(table.table.keyColumn)=\"_quarantine\".\"id\" AND "
            + "r.\"_version\" IS NULL)"
    }
}
