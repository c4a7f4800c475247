import Models
import SQLite

/// The last versions of records whose tombstones are forgotten.
///
/// A record that is made again under such a key counts on from there, so that no version of a key names two contents.
/// Whoever saw the deletion, or knows the old record, would else take the new one for something older and leave it aside,
/// and a change made on the old one would pass for one made on the new. They are kept for ever: a few bytes for each key
/// that was deleted.
extension HubState {
    static let buriedTables = [
        """
        CREATE TABLE IF NOT EXISTS _buried(model TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, \
        PRIMARY KEY(model, key)) STRICT, WITHOUT ROWID
        """
    ]

    private static let buryText = StatementText(
        "INSERT OR REPLACE INTO _buried(model,key,version) VALUES(?1,?2,?3)")
    private static let buriedText = StatementText("SELECT version FROM _buried WHERE model=?1 AND key=?2")

    /// The models that have any: most never lose a record, and creates of theirs look nothing up.
    static func buriedModels(_ connection: Connection) throws -> Set<String> {
        Set(try connection.rows("SELECT DISTINCT model FROM _buried").compactMap { $0[0].text })
    }

    /// Notes the last version of a record in the commit that forgets its tombstone.
    func bury(_ key: String, version: Int64, of model: ModelInfo, on connection: Connection) throws {
        buried.insert(model.schema.name)
        try connection.withStatement(Self.buryText) { statement in
            statement.bind(model.schema.name, at: 1)
            statement.bind(key, at: 2)
            statement.bind(version, at: 3)
            _ = try statement.step()
        }
    }

    /// The version of a record that is made now.
    func firstVersion(of values: [Value], _ model: ModelInfo, on connection: Connection) throws -> Int64 {
        guard let last = try lastBuried(values, model, on: connection) else { return lives.firstVersion }
        return max(lives.firstVersion, last + 1)
    }

    /// Whether a version is the one that its record was made with.
    func isFirst(_ version: Int64, of values: [Value], _ model: ModelInfo, on connection: Connection) throws -> Bool {
        if lives.isFirst(version) { return true }
        return try lastBuried(values, model, on: connection).map { $0 + 1 == version } ?? false
    }

    private func lastBuried(_ values: [Value], _ model: ModelInfo, on connection: Connection) throws -> Int64? {
        guard buried.contains(model.schema.name) else { return nil }
        return try connection.withStatement(Self.buriedText) { statement in
            statement.bind(model.schema.name, at: 1)
            statement.bind(model.key(of: values), at: 2)
            return try statement.step() ? statement.integer(at: 0) : nil
        }
    }
}
