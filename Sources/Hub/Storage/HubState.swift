import Basics
import Crypto
import ModelTables
import Models
import SQLite

/// What the service keeps beside the models: its clock, the applied mutation ids, and rows as they were.
///
/// The clock has two hands, both persisted. *Stamps* are milliseconds that never go back and are given once per commit:
/// they order changes and are what devices send back as `lastSync`. *Hub time* counts only while a hub runs, so that no
/// jump of the wall clock, forward or back, makes a tombstone go early.
final class HubState {
    /// The highest stamp of a commit.
    private(set) var stamp: Int64
    /// The highest stamp of a tombstone that was pruned: a delta from before it would miss deletions.
    private(set) var prunedThrough: Int64
    /// Names this database's history; a database made anew has another.
    let epoch: String
    /// What tokens are sealed with.
    let tokenKey: [UInt8]

    /// This life of the database and those before it.
    let lives: HubLives
    /// The models of which tombstones were forgotten.
    var buried: Set<String>
    /// How long tombstones and mutation ids are kept, in milliseconds of hub time.
    var horizon = HubCore.horizon
    /// How long rows as they were are kept for retries.
    var imageHorizon: Int64 { min(HubCore.imageHorizon, horizon) }

    private let time: any TimeSource
    /// Hub time when this hub started, and the machine's uptime then.
    private let startHubTime: Int64
    private let startUptime: Int64
    private var lastSave: Int64

    /// Reads the clock, or starts it in a new database.
    init(_ connection: Connection, _ time: any TimeSource) throws {
        self.time = time
        startUptime = time.uptime()
        var born: Int64 = 0
        if try connection.value("SELECT count(*) FROM _clock") == .integer(0) {
            born = time.now().milliseconds
            try connection.run(
                "INSERT INTO _clock(id,stamp,hub_time,pruned_through,epoch,token_key) VALUES(1,0,0,0,?,?)",
                [.text(SecureRandom.hex(byteCount: 8)), .text(SecureRandom.hex(byteCount: 32))])
        }
        let row =
            try connection.rows(
                "SELECT stamp,hub_time,pruned_through,epoch,token_key FROM _clock WHERE id=1"
            ).first ?? []
        guard row.count == 5, let stamp = row[0].integer, let hubTime = row[1].integer, let pruned = row[2].integer,
            let epoch = row[3].text, let key = row[4].text
        else { throw HubError("the hub's clock cannot be read; restore a backup") }
        self.stamp = stamp
        startHubTime = hubTime
        lastSave = hubTime
        prunedThrough = pruned
        self.epoch = epoch
        tokenKey = SHA256.digest(key)
        lives = try HubLives(connection, epoch: epoch, began: born)
        buried = try Self.buriedModels(connection)
    }

    /// Takes over what a change of the schema has written beside it.
    func reread(_ connection: Connection) throws {
        guard let row = try connection.rows("SELECT stamp,pruned_through FROM _clock WHERE id=1").first,
            let stamp = row[0].integer, let pruned = row[1].integer
        else { throw HubError("the hub's clock cannot be read; restore a backup") }
        self.stamp = stamp
        prunedThrough = pruned
        buried = try Self.buriedModels(connection)
    }

    static let tables =
        [
            """
            CREATE TABLE IF NOT EXISTS _clock(id INTEGER PRIMARY KEY, stamp INTEGER NOT NULL, hub_time INTEGER NOT NULL, \
            pruned_through INTEGER NOT NULL, epoch TEXT NOT NULL, token_key TEXT NOT NULL) STRICT
            """,
            // Row numbers grow with time, so that what expires first lies first.
            """
            CREATE TABLE IF NOT EXISTS _mutations(number INTEGER PRIMARY KEY, mutation TEXT NOT NULL, scope INTEGER NOT NULL, \
            model TEXT NOT NULL, row INTEGER NOT NULL, version INTEGER NOT NULL, expires INTEGER NOT NULL, \
            UNIQUE(mutation, scope)) STRICT
            """,
            """
            CREATE TABLE IF NOT EXISTS _images(number INTEGER PRIMARY KEY, model TEXT NOT NULL, row INTEGER NOT NULL, \
            version INTEGER NOT NULL, deleted INTEGER NOT NULL, changed INTEGER NOT NULL, record TEXT NOT NULL, \
            expires INTEGER NOT NULL, UNIQUE(model, row, version)) STRICT
            """,
        ] + Deliveries.table + AccessStore.tables

    /// Hub time now.
    var hubTime: Int64 { startHubTime + max(0, time.uptime() - startUptime) }

    /// The stamp of a commit that begins now: later than every earlier one, whatever the wall clock says.
    func nextStamp() -> Int64 { max(time.now().milliseconds, stamp + 1) }

    private static let saveText = StatementText("UPDATE _clock SET stamp=?1,hub_time=?2,pruned_through=?3 WHERE id=1")

    /// Writes the clock within the commit that uses it.
    func save(stamp: Int64, prunedThrough: Int64? = nil, on connection: Connection) throws {
        try connection.withStatement(Self.saveText) { statement in
            statement.bind(stamp, at: 1)
            statement.bind(hubTime, at: 2)
            statement.bind(prunedThrough ?? self.prunedThrough, at: 3)
            _ = try statement.step()
        }
    }

    /// Whether hub time has moved on by minutes since it was last saved.
    var isSaveDue: Bool { hubTime - lastSave > 600_000 }

    /// Takes over what a commit has saved.
    func committed(stamp: Int64, prunedThrough: Int64? = nil) {
        self.stamp = stamp
        lastSave = hubTime
        if let prunedThrough { self.prunedThrough = prunedThrough }
    }
}

/// Which version of which row an applied mutation made.
struct AppliedMutation: Hashable {
    let model: String
    let row: Int64
    let version: Int64
}

extension HubState {
    private static let findText = StatementText(
        "SELECT model,row,version FROM _mutations WHERE mutation=?1 AND scope IN (?2,?3) AND expires>=?4 "
            + "ORDER BY scope=?2 DESC LIMIT 1")
    private static let noteText = StatementText(
        "INSERT OR REPLACE INTO _mutations(mutation,scope,model,row,version,expires) VALUES(?1,?2,?3,?4,?5,?6)")
    private static let imageText = StatementText(
        "INSERT OR REPLACE INTO _images(model,row,version,deleted,changed,record,expires) VALUES(?1,?2,?3,?4,?5,?6,?7)")
    private static let findImageText = StatementText(
        "SELECT deleted,changed,record FROM _images WHERE model=?1 AND row=?2 AND version=?3")

    /// What a mutation id of a caller's did, if it was applied.
    func applied(_ mutation: String, by caller: Caller, on connection: Connection) throws -> AppliedMutation? {
        try connection.withStatement(Self.findText) { statement in
            statement.bind(mutation, at: 1)
            statement.bind(caller.scope, at: 2)
            statement.bind(caller.formerScope, at: 3)
            statement.bind(hubTime, at: 4)
            guard try statement.step() else { return nil }
            return AppliedMutation(
                model: statement.text(at: 0), row: statement.integer(at: 1), version: statement.integer(at: 2))
        }
    }

    /// Notes an applied mutation in the commit that applies it.
    func note(
        _ mutation: String, _ scope: Int64, _ applied: AppliedMutation, expires: Int64, on connection: Connection
    ) throws {
        try connection.withStatement(Self.noteText) { statement in
            statement.bind(mutation, at: 1)
            statement.bind(scope, at: 2)
            statement.bind(applied.model, at: 3)
            statement.bind(applied.row, at: 4)
            statement.bind(applied.version, at: 5)
            statement.bind(expires, at: 6)
            _ = try statement.step()
        }
    }

    /// Keeps a row as it was before a change, for retries of the mutation that made it so.
    func keepImage(_ row: HubRow, _ model: ModelInfo, expires: Int64, on connection: Connection) throws {
        try connection.withStatement(Self.imageText) { statement in
            statement.bind(model.schema.name, at: 1)
            statement.bind(row.rowID, at: 2)
            statement.bind(row.version, at: 3)
            statement.bind(row.deleted ? 1 : 0, at: 4)
            statement.bind(row.lastChangedAt, at: 5)
            statement.bind(Self.record(row, model), at: 6)
            statement.bind(expires, at: 7)
            _ = try statement.step()
        }
    }

    /// A row as it was at a version, nil where it is not kept.
    func image(_ model: ModelInfo, row: Int64, version: Int64, on connection: Connection) throws -> HubRow? {
        try connection.withStatement(Self.findImageText) { statement in
            statement.bind(model.schema.name, at: 1)
            statement.bind(row, at: 2)
            statement.bind(version, at: 3)
            guard try statement.step(), let values = Self.values(of: statement.text(at: 2), model) else { return nil }
            return HubRow(
                rowID: row, values: values, version: version, deleted: statement.integer(at: 0) != 0,
                lastChangedAt: statement.integer(at: 1))
        }
    }

    /// A row's fields as one text.
    static func record(_ row: HubRow, _ model: ModelInfo) -> String {
        var object = JSONObject()
        for (field, value) in zip(model.schema.fields, row.values) where !value.isNull {
            switch value {
            case .null: continue
            case .integer(let number): object.members.append((field.name, .integer(number)))
            case .real(let number): object.members.append((field.name, .array([.number("\(number)")])))
            case .text(let text): object.members.append((field.name, .string(text)))
            }
        }
        return JSONValue.object(object).text
    }

    /// What ``record(_:_:)`` wrote; nil where it cannot be read.
    static func values(of record: String, _ model: ModelInfo) -> [Value]? {
        guard let json = try? JSONValue(parsing: record) else { return nil }
        return model.schema.fields.map { field in
            switch json[field.name] {
            case .integer(let number)?: .integer(number)
            case .string(let text)?: .text(text)
            case .array(let real)?: (real.first?.double).map { .real($0) } ?? .null
            // A required field that is newer than the row as it was kept.
            default: field.isRequired ? field.storedDefault ?? .null : .null
            }
        }
    }

    /// Forgets some of what has expired: at most `limit` mutation ids and `limit` images; gives how many of each.
    func prune(limit: Int, on connection: Connection) throws -> [Int] {
        let now = Value.integer(hubTime)
        return try ["_mutations", "_images"].map { table in
            try connection.run(
                """
                DELETE FROM \(table) WHERE number IN (SELECT number FROM (SELECT number, expires FROM \(table) \
                ORDER BY number LIMIT ?1) WHERE expires < ?2)
                """, [.integer(Int64(limit)), now])
        }
    }
}
