import Basics
import ModelTables
import Models
import SQLite

/// The journal of confirmed changes: what was made here and taken by the backend, kept for a while.
///
/// A backend whose database was put back from a backup lacks what it confirmed after that backup. Nobody but the authors
/// can bring it back. So each confirmed change is kept, under the mutation id and the identity it was made under, with the
/// life of the backend that confirmed it and that life's stamp. Both together tell exactly what a restored backend lacks.
extension StoreCore {
    static let journalTables = [
        """
        CREATE TABLE IF NOT EXISTS "_journal"("number" INTEGER PRIMARY KEY, "epoch" TEXT NOT NULL,
        "stamp" INTEGER NOT NULL, "at" INTEGER NOT NULL, "mutation" TEXT NOT NULL, "model" TEXT NOT NULL,
        "id" TEXT NOT NULL, "kind" INTEGER NOT NULL, "fields" TEXT NOT NULL, "version" INTEGER, "base" TEXT NOT NULL,
        "identity" TEXT NOT NULL, "created" INTEGER NOT NULL, "rounds" INTEGER NOT NULL, "condition" TEXT,
        "unit" INTEGER) STRICT
        """
    ]

    private static let keepText = StatementText(
        """
        INSERT INTO "_journal"("epoch","stamp","at","mutation","model","id","kind","fields","version","base","identity",\
        "created","rounds","condition","unit") SELECT ?1,?2,?3,"mutation","model","id","kind","fields","version","base",\
        "identity","created","rounds","condition",(SELECT u."unit" FROM "_unit" AS u WHERE u."ord"=o."ord") \
        FROM "_outbox" AS o WHERE "ord"=?4
        """)

    /// Keeps an entry that the backend has taken, in the transaction that settles it; before it leaves the outbox.
    func keep(_ entry: OutboxEntry, confirmedAt stamp: Int64) throws {
        guard let life, options.journalLifetime > 0 else { return }
        try connection.withStatement(Self.keepText) { statement in
            statement.bind(life.epoch, at: 1)
            statement.bind(stamp, at: 2)
            statement.bind(options.time.now().milliseconds, at: 3)
            statement.bind(entry.order, at: 4)
            _ = try statement.step()
        }
        journaled += 1
        if journaled % Self.pruneInterval == 0 { try pruneJournal() }
    }

    /// Forgets what is older than any backup that is still put back, and what is too much.
    ///
    /// Old means old by this clock and by the backend's: one clock that jumps makes nothing go.
    func pruneJournal() throws { try pruneJournal(from: .min, through: .max) }

    /// Forgets the same among the next entries of the journal in a transaction of its own, so that whoever has others to
    /// look at can let something else go first. Begin with `Int64.min`.
    ///
    /// - Returns: where to go on; nil where that was the end.
    package func pruneJournal(from first: Int64) throws -> Int64? {
        try commit(nil, .normal) { _ in
            let last = try connection.value(
                "SELECT max(\"number\") FROM (SELECT \"number\" FROM \"_journal\" WHERE \"number\">=? "
                    + "ORDER BY \"number\" LIMIT ?)", [.integer(first), .integer(Int64(Self.pruneInterval))])
            guard let last = last?.integer else { return nil }
            try pruneJournal(from: first, through: last)
            return last + 1
        }
    }

    private func pruneJournal(from first: Int64, through last: Int64) throws {
        let limit = options.journalLifetime
        // The newest stamp is among the last: each life's are above those of the life before it.
        try connection.run(
            """
            DELETE FROM "_journal" WHERE "number" BETWEEN ?4 AND ?5 AND ("number"<=(SELECT max("number") FROM "_journal")-?1 \
            OR ("at"<?2 AND "stamp"<(SELECT max("stamp") FROM (SELECT "stamp" FROM "_journal" ORDER BY "number" DESC \
            LIMIT 100))-?3))
            """,
            [
                .integer(Int64(options.journalLimit)), .integer(options.time.now().milliseconds - limit),
                .integer(limit), .integer(first), .integer(last),
            ])
    }

    private static let pruneInterval = 1000

    /// How many confirmed changes are kept.
    package func journalCount() throws -> Int {
        try storeErrors { Int(try connection.value("SELECT count(*) FROM \"_journal\"")?.integer ?? 0) }
    }
}

/// The life of the backend's database that is known here.
struct BackendLife: Hashable {
    /// Its name.
    let epoch: String
    /// Its first stamp: what changed before belongs to a life before it, of which the backend may lack the end. Nil where
    /// the backend was never restored.
    let began: Int64?
    /// The stamps of the lives before it that the backend has; nil where they were not heard yet. What lies between two of
    /// them came after a backup that was put back, and is lost.
    let has: [ClosedRange<Int64>]?
    /// Whether nothing else of them is there: else only their common end is known.
    let isExact: Bool

    /// - Parameters:
    ///   - lives: of the earlier lives, the last stamp that the backend still has.
    ///   - begins: their first stamps; one that is not told of counts from the beginning.
    init(epoch: String, began: Int64?, having lives: [String: Int64]?, since begins: [String: Int64]) {
        self.epoch = epoch
        self.began = began
        isExact = lives.map { $0.count < 2 || $0.keys.allSatisfy { begins[$0] != nil } } ?? false
        // What came before the first life that is told of is as good as had: the very old ones are not told of any more.
        let first = begins.values.min()
        has = lives?.compactMap { name, last in
            let begin = begins[name].flatMap { $0 == first ? nil : $0 } ?? .min
            return begin <= last ? begin...last : nil
        }
    }
}

extension StoreCore {
    /// Says which life of the backend answers now; nil for a backend without epochs, whose changes are not kept.
    /// - Parameters:
    ///   - began: its first stamp; nil where the backend was never restored.
    ///   - lives: of the earlier lives, the last stamp that the backend still has; nil where that was not heard yet.
    ///   - begins: their first stamps, as far as the backend tells them.
    package func setLife(
        epoch: String?, began: Int64?, having lives: [String: Int64]? = nil, since begins: [String: Int64] = [:]
    ) {
        life = epoch.map { BackendLife(epoch: $0, began: began, having: lives, since: begins) }
    }

    /// What a life of the backend lacks of the journal: what another life confirmed that it does not come from, or that
    /// went on after it came from there. `?1` is its name, `?2` the last stamps it has of the lives that it comes from.
    private static let lost = """
        "epoch"<>?1 AND NOT EXISTS(SELECT 1 FROM json_each(?2) AS h WHERE h."key"="epoch" AND "stamp"<=h."value")
        """

    private static func lifeBindings(_ epoch: String, _ lives: [String: Int64]) -> [Value] {
        var names = JSONObject()
        for (name, stamp) in lives { names[name] = .integer(stamp) }
        return [.text(epoch), .text(JSONValue.object(names).text)]
    }

    /// Whether changes are kept that earlier lives of the backend confirmed and this one lacks.
    package func hasLostChanges(in epoch: String, having lives: [String: Int64]) throws -> Bool {
        try storeErrors {
            try connection.value(
                "SELECT 1 FROM \"_journal\" WHERE \(Self.lost) LIMIT 1", Self.lifeBindings(epoch, lives)) != nil
        }
    }

    /// Queues again what earlier lives of the backend confirmed and this one lacks, in front of what waits, in the order
    /// in which it was confirmed, under its old mutation ids and identities. Gives how many changes that are.
    ///
    /// What it has stays in the journal under the life that confirmed it: a backend that is put back once more comes from
    /// that life perhaps, and not from this one.
    ///
    /// Call it while nothing is being sent.
    /// - Parameter lives: of the earlier lives, the last stamp that the backend still has; a life that is not named is
    ///   lost whole.
    package func recover(into epoch: String, having lives: [String: Int64]) throws -> Int {
        try commit(nil, .full) { _ in
            let names = Self.lifeBindings(epoch, lives)
            let lost = "FROM \"_journal\" WHERE \(Self.lost)"
            let row = try connection.rows("SELECT count(*),max(\"number\") \(lost)", names).first
            guard let count = row?[0].integer, count > 0, let last = row?[1].integer else { return 0 }
            // Numbers below all that wait, so that no entry gets another number.
            let kept = try connection.value(
                "SELECT CAST(\"value\" AS INTEGER) FROM \"_meta\" WHERE \"key\"='firstOrder'")
            let waiting = try connection.value("SELECT min(\"ord\") FROM \"_outbox\"")
            let lowest = min(waiting?.integer ?? 0, kept?.integer ?? 0, 0)
            let shift = lowest - 1 - last
            try connection.run(
                """
                INSERT INTO "_outbox"("ord","mutation","model","id","kind","fields","version","base","identity","created",\
                "rounds","state","seal","reason","condition") SELECT "number"+?3,"mutation","model","id","kind","fields",\
                "version","base","identity","created","rounds",1,"number"+?3,?4,"condition" \(lost) ORDER BY "number"
                """, names + [.integer(shift), .text(Self.lostReason)])
            // What waits of the same records was sent after these, if it was: it is lost too, and may be put on them.
            try connection.run(
                """
                UPDATE "_outbox" SET "attempts"=0 WHERE "ord">?3 AND "attempts">0 AND ("model","id") IN (SELECT "model",\
                "id" \(lost))
                """, names + [.integer(lowest - 1)])
            // Each unit is one again, named by its first entry.
            try connection.run(
                """
                INSERT INTO "_unit"("ord","unit") SELECT "number"+?3,min("number") OVER (PARTITION BY "epoch","stamp",\
                "unit")+?3 \(lost) AND "unit" IS NOT NULL
                """, names + [.integer(shift)])
            let first = try connection.value("SELECT min(\"number\")+?3 \(lost)", names + [.integer(shift)])
            try connection.run(
                "INSERT OR REPLACE INTO \"_meta\" VALUES('firstOrder',?)", [.text(String(first?.integer ?? lowest))])
            try connection.run("DELETE \(lost)", names)
            // What comes before all that waits may be what it waits for.
            try Self.forgetHeldEntries(connection)
            retryAt.removeAll()
            try refreshFlags()
            countsChanged = true
            log.touchedOutbox = true
            return Int(count)
        }
    }

    /// The records of which the backend surely has what was made here: ``recover(into:having:)`` took out what it lacks.
    /// Where one is missing all the same, it is deleted or not for the reader's eyes, and no lost row of anybody's.
    package func journaledIDs(_ model: String) throws -> Set<ByteText> {
        try storeErrors {
            let sql = "SELECT DISTINCT \"id\" FROM \"_journal\" WHERE \"model\"=?"
            return Set(try connection.rows(sql, [.text(model)]).compactMap { $0[0].text.map { ByteText($0) } })
        }
    }

    static let lostReason = "the backend was restored from a backup that lacks this change"
    static let authorReason = "the backend was restored and may lack the record until who made it connects again"

    /// Lets rows that the backend lacks since it was restored be this store's own, where nothing of them waits: their
    /// authors have them too and bring them back. They stay, as ``SyncState/local``. Gives how many there are.
    package func disown(model: String, _ isMissing: (String) -> Bool) throws -> Int {
        try commit(nil, .normal) { _ in
            let table = try context.table(model)
            let condition = SQLCondition("\"_version\" IS NOT NULL")
            var count = 0
            var last: Int64 = 0
            while true {
                let query = RowQuery(filter: .all, page: .first(500), condition: condition, afterRow: last)
                let rows = try table.table.rows(query, on: connection)
                guard let end = rows.last?.row else { return count }
                last = end
                for row in rows where isMissing(row.record.id) {
                    let id = row.record.id
                    guard try entries(model, id).isEmpty, let old = try table.fetch(id, on: connection),
                        mayBeTakenBack(old.lastChangedAt)
                    else { continue }
                    // What was changed there and has no version is not this store's to send.
                    try table.put(
                        id, StoreTable.Row(values: old.values, version: nil, lastChangedAt: old.lastChangedAt ?? 0),
                        on: connection)
                    count += 1
                }
            }
        }
    }

    /// Whether something last changed in a life of the backend before the one that answers now.
    package func isOfEarlierLife(_ changed: Int64?) -> Bool {
        guard let began = life?.began else { return false }
        return (changed ?? 0) < began
    }

    /// Whether a restored backup surely took back what changed then: it lies in no part of an earlier life that the backend
    /// has. An answer to a change that is asked for again may be older than what is known here, without any restore.
    func isTakenBack(_ changed: Int64) -> Bool {
        guard let has = life?.has, isOfEarlierLife(changed) else { return false }
        return !has.contains { $0.contains(changed) }
    }

    /// Whether a restored backup may have taken back what changed then: it did, or nothing is known of that yet.
    func mayBeTakenBack(_ changed: Int64?) -> Bool {
        guard isOfEarlierLife(changed) else { return false }
        // Some changes have no stamp: those of records that the backend knew nothing of any more.
        guard let changed, changed > 0, life?.isExact ?? false else { return true }
        return isTakenBack(changed)
    }

    /// Whether it is known which changes of its earlier lives the backend has.
    package var knowsEarlierLives: Bool { life?.began != nil && life?.isExact ?? false }

    /// Takes the backend's row in place of a later one that tells nothing of it.
    ///
    /// Gives false where the row here is no such row.
    func takeBack(
        _ remote: RemoteRecord, _ table: StoreTable, _ id: String, _ report: inout ApplyReport
    ) throws -> Bool {
        guard let old = try table.fetch(id, on: connection), let version = old.version, version > remote.version,
            isVoid(old.lastChangedAt, for: remote)
        else { return false }
        report.updated += 1
        try show(
            table.wire.object(remote.record.values), old, table, id, version: remote.version,
            lastChangedAt: remote.lastChangedAt)
        return true
    }

    /// Whether what is known here in a later version than a record, last changed there at `changed`, tells nothing of it: a
    /// restored backup took that back, or the record was made anew.
    func isVoid(_ changed: Int64?, for remote: RemoteRecord) -> Bool {
        if life?.began != nil { return mayBeTakenBack(changed) }
        guard life == nil, let changed else { return false }
        return isAnew(remote, since: changed)
    }

    /// Whether a tombstone of a later version than a record tells nothing of it, for the same reasons.
    func isTombstoneVoid(for remote: RemoteRecord, _ table: StoreTable) throws -> Bool {
        let changed = try connection.value(
            "SELECT \"changed\" FROM \"_tombstone\" WHERE \"model\"=? AND \"id\"=?",
            [.text(table.model.name), .text(remote.record.id)])
        guard let changed = changed?.integer else { return false }
        if life?.began != nil { return mayBeTakenBack(changed) }
        return isAnew(remote, since: changed)
    }

    /// Whether a backend without lives, which forgets deletions in time and counts their versions from one again, had a
    /// record made anew since.
    private func isAnew(_ remote: RemoteRecord, since changed: Int64) -> Bool {
        !remote.deleted && remote.lastChangedAt - changed > Self.deletionsRemembered
    }

    /// How long a backend without lives remembers a deletion at least, in milliseconds: AppSync's shortest time is a day
    /// (`baseTableTTL` in minutes, as Amplify sets it 30 days). What comes late is never so late.
    private static let deletionsRemembered: Int64 = 86_400_000

    /// Lets a row be this store's own where nothing of it waits any more and a restored backup surely took it back: it would
    /// pass for the backend's.
    func disownLost(_ table: StoreTable, _ id: String) throws {
        guard let row = try table.fetch(id, on: connection), isTakenBack(row.lastChangedAt),
            try entries(table.model.name, id).isEmpty
        else { return }
        let own = StoreTable.Row(values: row.values, version: nil, lastChangedAt: row.lastChangedAt)
        try table.put(id, own, on: connection)
    }

    /// Whether a row lies in what a restored backup surely took back.
    func isTakenBack(_ changed: Int64?) -> Bool { changed.map { isTakenBack($0) } ?? false }

    /// Whether the backend said of a change, after a restore, that it lacks its record. (Without a condition it refuses none
    /// so otherwise.)
    func wasMissingThere(_ entry: OutboxEntry) -> Bool {
        guard entry.kind != .create, entry.condition == nil, let reason = entry.reason else { return false }
        return reason.hasPrefix(Self.authorReason) || (life?.began != nil && reason.includes("ConditionalCheckFailed"))
    }

    /// Lets a change wait a little that was refused because the backend lacks its record: after a restore its author may
    /// not have brought the record back yet.
    func waitsForAuthor(_ entry: OutboxEntry, _ code: String) -> Int64? {
        guard life?.began != nil, entry.kind != .create, entry.condition == nil,
            code.includes("ConditionalCheckFailed"), entry.attempts < Self.authorTries
        else { return nil }
        return min(30_000, 1000 << Int64(min(entry.attempts, 5)))
    }

    private static let authorTries = 20
}
