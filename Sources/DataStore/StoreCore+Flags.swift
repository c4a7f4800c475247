import Models
import SQLite

/// What a core keeps in memory about its file, so that most transactions need not ask it.
extension StoreCore {
    /// What a transaction may change of it: put back where that is not committed.
    var remembered: Remembered {
        get {
            Remembered(
                counts: counts, retryAt: retryAt, deletions: deletions, hasShadows: hasShadows,
                hasQuarantine: hasQuarantine, lastOrder: lastOrder, lackedFields: lackedFields,
                policyChanges: policyChanges)
        }
        set {
            counts = newValue.counts
            retryAt = newValue.retryAt
            deletions = newValue.deletions
            hasShadows = newValue.hasShadows
            hasQuarantine = newValue.hasQuarantine
            lastOrder = newValue.lastOrder
            lackedFields = newValue.lackedFields
            policyChanges = newValue.policyChanges
        }
    }

    /// What ``remembered`` holds.
    struct Remembered {
        let counts: [String: OutboxStatus]
        let retryAt: [Int64: Int64]
        let deletions: Set<String>
        let hasShadows: Bool
        let hasQuarantine: Bool
        let lastOrder: Int64
        let lackedFields: [String: [String]]
        let policyChanges: Int64
    }

    /// Reads again what is kept in memory about the file where another process wrote it.
    ///
    /// At the beginning of each transaction: from then on nobody else writes, so that what is decided by it is right.
    func refreshForeignFlags() throws {
        guard connection.path != nil, try connection.dataVersion != flagsVersion else { return }
        try refreshFlags()
    }

    /// Keeps the greatest number ever given, so that none names two entries.
    func keepLastOrder() throws {
        removedEntries = false
        try connection.run(
            """
            INSERT INTO "_meta" VALUES('lastOrder',?1) ON CONFLICT DO UPDATE SET "value"=excluded."value" \
            WHERE CAST("value" AS INTEGER)<?2
            """, [.text(String(lastOrder)), .integer(lastOrder)])
    }

    /// Reads again what is kept in memory about the file; also after another process wrote it.
    func refreshFlags() throws {
        try context.checkSchema()
        if connection.path != nil { flagsVersion = try connection.dataVersion }
        let kept = try connection.value("SELECT CAST(\"value\" AS INTEGER) FROM \"_meta\" WHERE \"key\"='lastOrder'")
        let highest = try connection.value("SELECT max(\"ord\") FROM \"_outbox\"")
        lastOrder = max(lastOrder, kept?.integer ?? 0, highest?.integer ?? 0)
        counts.removeAll()
        for row in try connection.rows("SELECT \"identity\",\"state\",count(*) FROM \"_outbox\" GROUP BY 1,2") {
            let state = MutationState(rawValue: row[1].integer ?? 0) ?? .queued
            counts[row[0].text ?? "", default: OutboxStatus()].add(Int(row[2].integer ?? 0), state)
        }
        let models = try connection.rows(
            "SELECT DISTINCT \"model\" FROM \"_tombstone\" UNION SELECT DISTINCT \"model\" FROM \"_outbox\" WHERE \"kind\"=2"
        )
        deletions = Set(models.compactMap { $0.first?.text })
        hasShadows = try connection.value("SELECT 1 FROM \"_shadow\" LIMIT 1") != nil
        hasQuarantine = try connection.value("SELECT 1 FROM \"_quarantine\" LIMIT 1") != nil
        hasUnits = try connection.value("SELECT 1 FROM \"_unit\" LIMIT 1") != nil
        hasHeldEntries = try connection.value("SELECT 1 FROM \"_outbox\" WHERE \"held\" IS NOT NULL LIMIT 1") != nil
        lackedFields = try readLackedFields()
        try followPolicies()
        knownParents.removeAll()
    }
}
