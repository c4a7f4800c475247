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

    /// Forgets the rows of a model that were kept aside.
    func forgetQuarantined(of model: String) throws {
        guard hasQuarantine else { return }
        try connection.run("DELETE FROM \"_quarantine\" WHERE \"model\"=?", [.text(model)])
    }

    /// Forgets rows that were kept aside and are gone from the backend.
    func forgetQuarantined(of model: String, where isMissing: (String) -> Bool) throws {
        try commit(nil, .normal) { _ in
            let rows = try connection.rows("SELECT \"id\" FROM \"_quarantine\" WHERE \"model\"=?", [.text(model)])
            // One without a key cannot be missed by it.
            for row in rows where row[0].text.map({ !$0.hasPrefix(Self.slotMark) && isMissing($0) }) ?? false {
                try connection.run(
                    "DELETE FROM \"_quarantine\" WHERE \"model\"=? AND \"id\"=?", [.text(model), row[0]])
            }
        }
    }
}
