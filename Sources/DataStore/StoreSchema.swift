import Models
import SQLite

/// The store's own tables beside the models'.
enum StoreSchema {
    /// `BCDS`: which program's file it is.
    static let applicationID: Int32 = 0x4243_4453
    /// The version of the tables below.
    static let version = 3

    /// One statement each. `held` is the entry that another one waits for (``HeldEntries``). `seal` is 0 for the one entry of a record that takes up further changes, else its `ord`, so
    /// that one index finds a record's entries and allows a single open one.
    static let tables =
        [
            "CREATE TABLE IF NOT EXISTS \"_meta\"(\"key\" TEXT PRIMARY KEY NOT NULL, \"value\" TEXT NOT NULL) STRICT, WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS \"_sequence\"(\"name\" TEXT PRIMARY KEY NOT NULL, \"value\" INTEGER NOT NULL) STRICT, WITHOUT ROWID",
            """
            CREATE TABLE IF NOT EXISTS "_outbox"("ord" INTEGER PRIMARY KEY, "mutation" TEXT NOT NULL, "model" TEXT NOT NULL,
            "id" TEXT NOT NULL, "kind" INTEGER NOT NULL, "fields" TEXT NOT NULL, "version" INTEGER, "base" TEXT NOT NULL,
            "identity" TEXT NOT NULL, "created" INTEGER NOT NULL, "attempts" INTEGER NOT NULL DEFAULT 0,
            "rounds" INTEGER NOT NULL DEFAULT 0, "state" INTEGER NOT NULL DEFAULT 0, "seal" INTEGER NOT NULL DEFAULT 0,
            "reason" TEXT, "condition" TEXT, "tried" INTEGER, "held" INTEGER) STRICT
            """,
            "CREATE UNIQUE INDEX IF NOT EXISTS \"_outbox.record\" ON \"_outbox\"(\"model\",\"id\",\"seal\")",
            """
            CREATE INDEX IF NOT EXISTS "_outbox.lane" ON "_outbox"("identity","ord") WHERE "state"<2 AND "held" IS NULL
            """,
            "CREATE INDEX IF NOT EXISTS \"_outbox.holder\" ON \"_outbox\"(\"held\") WHERE \"held\" IS NOT NULL",
            "CREATE INDEX IF NOT EXISTS \"_outbox.held\" ON \"_outbox\"(\"state\",\"ord\") WHERE \"state\">=2",
            """
            CREATE TABLE IF NOT EXISTS "_shadow"("model" TEXT NOT NULL, "id" TEXT NOT NULL, "version" INTEGER NOT NULL,
            "changed" INTEGER NOT NULL, "deleted" INTEGER NOT NULL, "fields" TEXT NOT NULL,
            PRIMARY KEY("model","id")) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE IF NOT EXISTS "_tombstone"("model" TEXT NOT NULL, "id" TEXT NOT NULL, "version" INTEGER NOT NULL,
            "changed" INTEGER NOT NULL, PRIMARY KEY("model","id")) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE IF NOT EXISTS "_quarantine"("model" TEXT NOT NULL, "id" TEXT NOT NULL, "version" INTEGER NOT NULL,
            "json" TEXT NOT NULL, "reason" TEXT NOT NULL, "at" INTEGER NOT NULL, PRIMARY KEY("model","id")) STRICT,
            WITHOUT ROWID
            """,
            "CREATE TABLE IF NOT EXISTS \"_unit\"(\"ord\" INTEGER PRIMARY KEY, \"unit\" INTEGER NOT NULL) STRICT",
            "CREATE INDEX IF NOT EXISTS \"_unit.unit\" ON \"_unit\"(\"unit\",\"ord\")",
            """
            CREATE TABLE IF NOT EXISTS "_mark"("model" TEXT PRIMARY KEY NOT NULL, "lastSync" INTEGER, "nextToken" TEXT,
            "startedAt" INTEGER, "lastFullSync" INTEGER, "scope" TEXT, "epoch" TEXT) STRICT, WITHOUT ROWID
            """,
        ] + StoreCore.journalTables

    /// Brings the store's own tables of an earlier format up to today's; what is only new is made by ``tables``.
    static func upgrade(_ connection: Connection, from format: Int) throws {
        if format < 2 {
            try connection.execute("ALTER TABLE \"_outbox\" ADD COLUMN \"condition\" TEXT")
            try connection.execute("ALTER TABLE \"_outbox\" ADD COLUMN \"tried\" INTEGER")
        }
        if format < 3 {
            try connection.execute("ALTER TABLE \"_outbox\" ADD COLUMN \"held\" INTEGER")
            try connection.execute("DROP INDEX IF EXISTS \"_outbox.lane\"")
        }
    }

    /// What `clear` empties besides the models' tables.
    static let cleared = ["_outbox", "_unit", "_shadow", "_tombstone", "_quarantine", "_mark"]
}

/// The statements that run for every change, made once.
enum StoreSQL {
    static let columns = """
        "ord","mutation","model","id","kind","fields","version","base","identity","created","attempts","rounds","state",\
        "reason","condition","tried"
        """
    static let enqueue = StatementText(
        """
        INSERT INTO "_outbox"("mutation","model","id","kind","fields","version","base","identity","created","rounds",\
        "condition","ord") VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT("model","id","seal") DO NOTHING
        """)
    static let entriesOfRecord = StatementText(
        "SELECT \(columns) FROM \"_outbox\" WHERE \"model\"=? AND \"id\"=? ORDER BY \"ord\"")
    static let otherEntriesOfRecord = StatementText(
        "SELECT \(columns) FROM \"_outbox\" WHERE \"model\"=? AND \"id\"=? AND \"ord\"<>? ORDER BY \"ord\"")
    static let entry = StatementText("SELECT \(columns) FROM \"_outbox\" WHERE \"ord\"=?")
    static let removeEntry = StatementText("DELETE FROM \"_outbox\" WHERE \"ord\"=?")
    static let lane = StatementText(
        """
        SELECT \(columns), EXISTS(SELECT 1 FROM "_outbox" AS e WHERE e."model"=o."model" AND e."id"=o."id" \
        AND e."ord"<o."ord") FROM "_outbox" AS o WHERE o."identity"=? AND o."ord">=? AND o."state"<2 AND \
        o."held" IS NULL ORDER BY o."ord"
        """)
    static let markSending = StatementText(
        """
        UPDATE "_outbox" SET "state"=2, "seal"="ord", "attempts"="attempts"+1, "tried"=?, "held"=NULL WHERE "ord"=?
        """)
    static let firstLane = StatementText(
        """
        SELECT "identity" FROM "_outbox" WHERE "state"<2 AND "held" IS NULL ORDER BY "identity" LIMIT 1
        """)
    static let nextLane = StatementText(
        """
        SELECT "identity" FROM "_outbox" WHERE "state"<2 AND "held" IS NULL AND "identity">? ORDER BY "identity" LIMIT 1
        """)
    static let createOf = StatementText(
        "SELECT \"ord\",\"state\" FROM \"_outbox\" WHERE \"model\"=? AND \"id\"=? AND \"kind\"=0 ORDER BY \"ord\" LIMIT 1"
    )
    static let hasUnsentCreates = StatementText(
        "SELECT 1 FROM \"_outbox\" WHERE \"model\"=? AND \"kind\"=0 LIMIT 1")
    static let hasEntries = StatementText("SELECT 1 FROM \"_outbox\" WHERE \"model\"=? LIMIT 1")
    static let tombstone = StatementText("SELECT \"version\" FROM \"_tombstone\" WHERE \"model\"=? AND \"id\"=?")
    static let putTombstone = StatementText(
        """
        INSERT INTO "_tombstone"("model","id","version","changed") VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET \
        "version"=excluded."version", "changed"=excluded."changed" WHERE excluded."version">"_tombstone"."version"
        """)
    static let shadow = StatementText(
        "SELECT \"version\",\"changed\",\"deleted\",\"fields\" FROM \"_shadow\" WHERE \"model\"=? AND \"id\"=?")
}
