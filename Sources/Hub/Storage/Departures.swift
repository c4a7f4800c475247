import Basics
import Models
import SQLite

/// A change by which a row may have left somebody's sight: an owner or a group was taken from it.
///
/// Whoever could read the row before and cannot now is told by his next delta that it is gone, as it was when he could
/// read it; of what became of it since he hears nothing.
struct Departure {
    /// The row as it was before the change.
    let before: HubRow
    /// The change's version and stamp.
    let version: Int64
    let stamp: Int64

    /// What is told to those who lost it.
    var told: HubRow {
        HubRow(rowID: before.rowID, values: before.values, version: version, deleted: true, lastChangedAt: stamp)
    }

    /// Whether a change takes a name out of a field that rules of reading look at.
    static func isOne(from old: HubRow, to new: HubRow, _ model: ModelInfo) -> Bool {
        model.readerFields.contains { position in
            guard old.values[position] != new.values[position], !old.values[position].isNull else { return false }
            guard model.schema.fields[position].isList, case .text(let a) = old.values[position],
                case .text(let b) = new.values[position], let before = (try? JSONValue(parsing: a))?.array,
                let after = (try? JSONValue(parsing: b))?.array
            else { return true }
            return !before.allSatisfy(after.contains)
        }
    }
}

extension HubState {
    static let departureTables = [
        """
        CREATE TABLE IF NOT EXISTS _departures(number INTEGER PRIMARY KEY, model TEXT NOT NULL, row INTEGER NOT NULL, \
        stamp INTEGER NOT NULL, version INTEGER NOT NULL, record TEXT NOT NULL, expires INTEGER NOT NULL) STRICT
        """,
        "CREATE INDEX IF NOT EXISTS _departures_of_rows ON _departures(model, row, stamp)",
    ]

    private static let noteText = StatementText(
        "INSERT INTO _departures(model,row,stamp,version,record,expires) VALUES(?1,?2,?3,?4,?5,?6)")

    /// Notes a departure in the commit that makes it.
    func note(_ departure: Departure, _ model: ModelInfo, expires: Int64, on connection: Connection) throws {
        try connection.withStatement(Self.noteText) { statement in
            statement.bind(model.schema.name, at: 1)
            statement.bind(departure.before.rowID, at: 2)
            statement.bind(departure.stamp, at: 3)
            statement.bind(departure.version, at: 4)
            statement.bind(Self.record(departure.before, model), at: 5)
            statement.bind(expires, at: 6)
            _ = try statement.step()
        }
    }

    /// Forgets departures that have outlived the horizon; gives how many, and the highest stamp among them, before which
    /// deltas are not whole any more.
    func pruneDepartures(limit: Int, on connection: Connection) throws -> (count: Int, through: Int64) {
        let rows = try connection.rows(
            """
            SELECT number, stamp FROM (SELECT number, stamp, expires FROM _departures ORDER BY number LIMIT ?1) \
            WHERE expires < ?2
            """, [.integer(Int64(limit)), .integer(hubTime)])
        for row in rows { try connection.run("DELETE FROM _departures WHERE number=?", [row[0]]) }
        return (rows.count, rows.compactMap { $0[1].integer }.max() ?? 0)
    }
}

extension QueryRunner {
    /// What a delta looks for behind its range: rows that left somebody's sight within it, and that changed again while
    /// its pages were read. They are not in the range any more, and the next delta begins behind their departure. Nil
    /// where nothing can have left the caller's sight.
    func departures(of walk: Walk) -> [Value]? {
        guard let since = walk.leftSince, let startedAt = walk.startedAt, case .rows = walk.sight.named else {
            return nil
        }
        let isBegun = walk.position > startedAt
        return [
            .integer(isBegun ? walk.row : 0), .integer(startedAt), .text(walk.model.schema.name), .integer(since),
        ]
    }

    /// What a delta tells of a row that the caller may not read, or not by its key: that it is gone, where he could read it when the delta
    /// began; nil where it never was his to see.
    func left(_ row: HubRow, _ walk: Walk) throws -> HubRow? {
        guard walk.kind == .changes, let since = walk.leftSince, case .rows(let rules) = walk.sight.named,
            !rules.isEmpty
        else { return nil }
        let found = try connection.rows(
            "SELECT version,stamp,record FROM _departures WHERE model=? AND row=? AND stamp>=? ORDER BY stamp DESC",
            [.text(walk.model.schema.name), .integer(row.rowID), .integer(since)])
        for columns in found {
            guard let version = columns[0].integer, let stamp = columns[1].integer, let record = columns[2].text,
                let values = HubState.values(of: record, walk.model)
            else { continue }
            guard walk.sight.named.allows(values) else { continue }
            let before = HubRow(
                rowID: row.rowID, values: values, version: version, deleted: false, lastChangedAt: stamp)
            return Departure(before: before, version: version, stamp: stamp).told
        }
        return nil
    }
}
