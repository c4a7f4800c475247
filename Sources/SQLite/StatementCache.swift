import CSQLite

/// The text of a statement that is run often: the connection finds its prepared form by identity, without hashing text.
///
/// Make it once and keep it, such as in a `let` of the type that runs it.
public final class StatementText: Sendable {
    /// The SQL.
    public let sql: String

    /// Wraps one SQL statement.
    public init(_ sql: String) {
        self.sql = sql
    }
}

/// A connection's prepared statements by text. The least recently used half goes when it is full.
struct StatementCache {
    private var byText: [String: Statement] = [:]
    private var byIdentity: [ObjectIdentifier: (text: StatementText, statement: Statement)] = [:]
    private var clock: UInt64 = 0
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// How many statements it holds.
    var count: Int { byText.count + byIdentity.count }

    mutating func find(_ sql: String) -> Statement? {
        guard let statement = byText[sql] else { return nil }
        touch(statement)
        return statement
    }

    mutating func find(_ text: StatementText) -> Statement? {
        guard let statement = byIdentity[ObjectIdentifier(text)]?.statement else { return nil }
        touch(statement)
        return statement
    }

    mutating func insert(_ statement: Statement, _ sql: String) {
        makeRoom()
        touch(statement)
        byText[sql] = statement
    }

    mutating func insert(_ statement: Statement, _ text: StatementText) {
        makeRoom()
        touch(statement)
        // The entry keeps `text` alive, so that its identity cannot come to mean another text.
        byIdentity[ObjectIdentifier(text)] = (text, statement)
    }

    mutating func removeAll() {
        byText = byText.filter { $0.value.isLent }
        byIdentity = byIdentity.filter { $0.value.statement.isLent }
    }

    private mutating func touch(_ statement: Statement) {
        clock += 1
        statement.lastUse = clock
    }

    private mutating func makeRoom() {
        guard count >= limit else { return }
        let uses = (byText.values.map(\.lastUse) + byIdentity.values.map(\.statement.lastUse)).sorted()
        let oldest = uses[uses.count / 2]
        byText = byText.filter { $0.value.isLent || $0.value.lastUse > oldest }
        byIdentity = byIdentity.filter { $0.value.statement.isLent || $0.value.statement.lastUse > oldest }
    }
}
