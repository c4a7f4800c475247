import Basics
import Models
import SQLite

/// The lives of a hub's database: the one that began when it was made, and one for each backup that was put back.
///
/// What was committed after a backup is lost when that backup is put back, and clients may have seen it. A life of its own
/// keeps the two apart. Its name is the epoch. Its first stamp lies above every stamp of the lives before it. Its versions
/// lie above every version of theirs, so that a version never names two contents. How far it has each of the earlier lives
/// is announced, so that a client can tell which of its confirmed changes are gone, and send them again.
struct HubLives: Sendable, Hashable {
    /// A life that ended with a restored backup.
    struct Earlier: Sendable, Hashable {
        let epoch: String
        /// Its first stamp.
        let began: Int64
        /// The last stamp of it that this database has.
        let through: Int64
    }

    /// The first stamp of this life.
    var began: Int64
    /// Versions of this life are this or more; a row made in it has exactly this one. 1 in a database never restored.
    var floor: Int64
    /// The floors of all lives, this one's too.
    var floors: Set<Int64>
    /// The lives before this one.
    var earlier: [Earlier] = []

    /// How far floors lie apart: as many versions as hardly a row is given in one life. One that is given more pushes the
    /// next floor up.
    static let span: Int64 = 1_000_000
    /// Restores that may have been since a backup, where nobody knows.
    private static let unknownLives: Int64 = 8

    static let tables = [
        """
        CREATE TABLE IF NOT EXISTS _life(number INTEGER PRIMARY KEY, epoch TEXT NOT NULL, began INTEGER NOT NULL, \
        floor INTEGER NOT NULL, through INTEGER) STRICT
        """
    ]

    init(began: Int64, floor: Int64, floors: Set<Int64>, earlier: [Earlier] = []) {
        self.began = began
        self.floor = floor
        self.floors = floors
        self.earlier = earlier
    }

    /// Reads the lives, or begins the first one.
    init(_ connection: Connection, epoch: String, began: Int64) throws {
        if try connection.value("SELECT count(*) FROM _life") == .integer(0) {
            try connection.run(
                "INSERT INTO _life(epoch,began,floor) VALUES(?,?,1)", [.text(epoch), .integer(began)])
        }
        let rows = try connection.rows("SELECT epoch,began,floor,through FROM _life ORDER BY number")
        guard let last = rows.last, last[0].text == epoch else {
            throw HubError(
                "the hub's database does not know its own life; put a backup back with `bincount hub restore`")
        }
        self.began = last[1].integer ?? 0
        floor = last[2].integer ?? 1
        floors = Set(rows.compactMap { $0[2].integer })
        earlier = rows.dropLast().compactMap { row in
            guard let name = row[0].text else { return nil }
            return Earlier(epoch: name, began: row[1].integer ?? 0, through: row[3].integer ?? 0)
        }
    }

    /// Begins a new life in a database that a backup was put back into, in the open transaction; gives its epoch.
    ///
    /// - Parameters:
    ///   - stamp: the highest stamp that clients may have seen, as far as it is known.
    ///   - seen: the ``ceiling(of:)`` of the database that is replaced, whose life may be a later one than the backup's;
    ///     nil where it cannot be read, so that some lives may have been since the backup.
    static func begin(
        on connection: Connection, epoch: String, tokenKey: String, after stamp: Int64, above seen: Int64?
    ) throws {
        guard
            let row = try connection.rows("SELECT stamp,epoch FROM _clock WHERE id=1").first,
            let through = row[0].integer, let old = row[1].text
        else { throw HubError("the backup holds no clock of a hub") }
        if try connection.value("SELECT count(*) FROM _life") == .integer(0) {
            try connection.run("INSERT INTO _life(epoch,began,floor) VALUES(?,0,1)", [.text(old)])
        }
        let ceiling = try ceiling(of: connection)
        let next = (max(ceiling, try seen ?? unknownCeiling(above: nil, connection)) / span + 1) * span
        guard next + span < Int64(Int32.max) else {
            throw HubError("this database was restored too often for its versions to stay numbers of 32 bits")
        }
        // Also above every earlier life's end, and never at one of its stamps.
        let began = max(stamp, through) + 1000
        try connection.run("UPDATE _life SET through=? WHERE through IS NULL", [.integer(through)])
        try connection.run(
            "INSERT INTO _life(epoch,began,floor) VALUES(?,?,?)", [.text(epoch), .integer(began), .integer(next)])
        // Marks of earlier lives lie below what is forgotten, so that every client, whatever it knows of epochs, is given
        // everything once.
        try connection.run(
            "UPDATE _clock SET stamp=?,pruned_through=?,epoch=?,token_key=? WHERE id=1",
            [.integer(began), .integer(began - 1), .text(epoch), .text(tokenKey)])
        try CopyMark.remove(connection)
    }

    /// What no version that a database has given lies above: the highest one, or the floor of its last life.
    static func ceiling(of connection: Connection) throws -> Int64 {
        func highest(_ column: String, _ table: String) throws -> Int64 {
            try connection.value("SELECT max(\"\(column)\") FROM \"\(table)\"")?.integer ?? 1
        }
        let tables = try connection.rows(
            """
            SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type='table' \
            AND (c.name='_version' OR t.name='_buried' AND c.name='version' OR t.name='_life' AND c.name='floor')
            """)
        return try tables.reduce(1) { ceiling, row in
            guard let table = row[0].text, let column = row[1].text else { return ceiling }
            return max(ceiling, try highest(column, table))
        }
    }

    /// What no version that was given lies above where nobody knows how many lives have been since: since the database, and
    /// since another one of the same hub with that ceiling.
    static func unknownCeiling(above other: Int64?, _ connection: Connection) throws -> Int64 {
        max(try ceiling(of: connection), other ?? 0) + unknownLives * span
    }

    /// The version of a row that is made now.
    var firstVersion: Int64 { floor }
    /// The version that follows one.
    func version(after version: Int64) -> Int64 { max(version + 1, floor == 1 ? 0 : floor + 1) }
    /// ``version(after:)`` of the row that a statement changes, in SQL.
    static let nextVersion = """
        max("_version"+1,(SELECT CASE floor WHEN 1 THEN 0 ELSE floor+1 END FROM _life ORDER BY number DESC LIMIT 1))
        """
    /// Whether a row was never changed since it was made.
    func isFirst(_ version: Int64) -> Bool { floors.contains(version) }

    /// Whether a change made on `version` was made on what the row is, or on a later state of it that a restored backup
    /// took back: that the row is an ancestor of what the client saw makes the change no conflict.
    ///
    /// Of a version of a life that is not among this database's nobody knows what it came from: that is a conflict.
    func isCurrent(_ version: Int64?, _ stored: Int64) -> Bool {
        guard let version else { return false }
        if version == stored { return true }
        return version > stored && version < floor && stored < floor && floors.contains(Self.floor(of: version))
    }

    /// The floor of the life that gave a row this version.
    private static func floor(of version: Int64) -> Int64 { max(version / span * span, 1) }

    /// What answers announce; nil in a database never restored.
    var announcement: JSONValue? {
        guard !earlier.isEmpty else { return nil }
        var has = JSONObject()
        var since = JSONObject()
        for life in earlier.suffix(Self.announced) {
            has[life.epoch] = .integer(life.through)
            since[life.epoch] = .integer(life.began)
        }
        return ["began": .integer(began), "has": .object(has), "since": .object(since)]
    }

    private static let announced = 16
}
