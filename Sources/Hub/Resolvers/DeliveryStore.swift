import Basics
import Models
import SQLite
import System

/// What `after` functions have not taken, for a person who looks at it and decides.
///
/// It has a connection of its own and may be used while a hub runs on the same directory: each act is counted in its own
/// transaction, by which the hub notices within a second. Confined to the thread that opened it.
public struct DeliveryStore {
    /// One delivery, without what the function is to get.
    public struct Entry: Sendable, Hashable {
        /// Names it.
        public let number: Int64
        /// The function that is to get it.
        public let function: String
        /// The record that it is about, as `Model#row`.
        public let record: String
        /// How often the function was called in vain.
        public let attempts: Int
        /// Whether it was given up: nothing tries it again before a person says so.
        public let isParked: Bool
        /// Why the last try failed; nil where there was none.
        public let reason: String?
        /// When its mutation was committed, in milliseconds since 1970; nil where an earlier version kept it.
        public let since: Int64?
        /// When it is tried next; nil where it is parked, or goes as soon as those before it have been taken.
        public let next: Int64?

        /// As programs read it.
        public var json: JSONObject {
            [
                "number": .integer(number), "state": isParked ? "parked" : "waiting", "function": .string(function),
                "record": .string(record), "attempts": .integer(Int64(attempts)),
                "reason": reason.map { .string($0) } ?? .null, "since": Self.time(since), "nextTry": Self.time(next),
            ]
        }

        private static func time(_ milliseconds: Int64?) -> JSONValue {
            milliseconds.map { .string(DateTime(milliseconds: $0).iso8601) } ?? .null
        }
    }

    /// What an act came to.
    public struct Outcome: Sendable, Hashable {
        /// The deliveries that it was done to.
        public let done: [Int64]
        /// Numbers that no delivery has, or has any more.
        public let missing: [Int64]
    }

    /// Entries of one page.
    public static let pageSize = 500

    static let actsTable =
        "CREATE TABLE IF NOT EXISTS _delivery_acts(id INTEGER PRIMARY KEY CHECK(id=1), count INTEGER NOT NULL) STRICT"
    private static let columns = "number,function,record,attempts,parked,reason,since,next"

    private let connection: Connection

    /// Takes a connection to a hub's database.
    init(_ connection: Connection) throws {
        self.connection = connection
        for sql in Deliveries.table + [Self.actsTable] { try connection.execute(sql) }
        try Deliveries.upgrade(connection)
    }

    /// Opens what a hub's data directory holds, whether a hub runs there or not.
    ///
    /// - Throws: ``HubError`` where no hub's database is there, or what SQLite says.
    public static func open(dataDirectory: String) throws -> DeliveryStore {
        let path = HubBackup.database(in: dataDirectory)
        guard Files.exists(path) else { throw HubError("there is no hub's data in \(dataDirectory)") }
        let connection = try Connection.open(path: path)
        guard try connection.applicationID == HubCore.applicationID else {
            throw HubError("\(path) is no hub's database")
        }
        return try DeliveryStore(connection)
    }

    /// How often a person has changed the table so far.
    static func acts(_ connection: Connection) throws -> Int64 {
        try connection.value("SELECT count FROM _delivery_acts WHERE id=1")?.integer ?? 0
    }

    /// Deliveries in the order in which they were committed, those after a number.
    public func list(
        after number: Int64 = 0, parkedOnly: Bool = false, limit: Int = DeliveryStore.pageSize
    ) throws -> [Entry] {
        let condition = parkedOnly ? " AND parked=1" : ""
        return try connection.rows(
            "SELECT \(Self.columns) FROM _deliveries WHERE number>?\(condition) ORDER BY number LIMIT ?",
            [.integer(number), .integer(Int64(limit))]
        ).map(Self.entry)
    }

    /// One delivery with what the function is to get; nil where there is none of that number.
    public func show(_ number: Int64) throws -> (entry: Entry, payload: JSONValue)? {
        let rows = try connection.rows(
            "SELECT \(Self.columns),payload FROM _deliveries WHERE number=?", [.integer(number)])
        guard let row = rows.first else { return nil }
        let payload = row[8].text ?? ""
        return (Self.entry(row), (try? JSONValue(parsing: payload)) ?? .string(payload))
    }

    /// Lets deliveries be tried again at once, with all tries before them: those that were given up, and those that wait
    /// for their next try. Nil stands for all that were given up.
    public func retry(_ numbers: [Int64]?) throws -> Outcome {
        let update = "UPDATE _deliveries SET parked=0,attempts=0,due=0,next=NULL WHERE number=?"
        return try act {
            let meant =
                try numbers
                ?? connection.rows("SELECT number FROM _deliveries WHERE parked=1 ORDER BY number")
                .compactMap { $0[0].integer }
            return try apply(update, meant)
        }
    }

    /// Forgets deliveries for good; their functions never get them.
    public func drop(_ numbers: [Int64]) throws -> Outcome {
        try act { try apply("DELETE FROM _deliveries WHERE number=?", numbers) }
    }

    private func apply(_ sql: String, _ numbers: [Int64]) throws -> Outcome {
        var done: [Int64] = []
        var missing: [Int64] = []
        for number in numbers where !done.contains(number) && !missing.contains(number) {
            if try connection.run(sql, [.integer(number)]) > 0 { done.append(number) } else { missing.append(number) }
        }
        return Outcome(done: done, missing: missing)
    }

    /// Changes the table and counts it, in one transaction.
    private func act(_ body: () throws -> Outcome) throws -> Outcome {
        try connection.transaction(.immediate) {
            let outcome = try body()
            guard !outcome.done.isEmpty else { return outcome }
            try connection.run(
                "INSERT INTO _delivery_acts(id,count) VALUES(1,1) ON CONFLICT(id) DO UPDATE SET count=count+1")
            return outcome
        }
    }

    private static func entry(_ row: [Value]) -> Entry {
        Entry(
            number: row[0].integer ?? 0, function: row[1].text ?? "", record: row[2].text ?? "",
            attempts: Int(row[3].integer ?? 0), isParked: row[4].integer == 1, reason: row[5].text,
            since: row[6].integer, next: row[7].integer)
    }
}
