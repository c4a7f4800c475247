import Basics
import ModelTables
import Models
import SQLite

/// One transaction: what is read in it is one state, what is written becomes durable as one.
///
/// Confined to the closure it is given to; used later it throws ``StoreError/closed``. Logic is written as functions over
/// it and so runs in the app, in the desk and in a simulation alike.
public final class StoreTransaction {
    /// Who acts: the outbox entries of this transaction go out under this name.
    public let identity: String?
    let context: StoreContext
    /// Nil where only reading is possible.
    let core: StoreCore?
    /// Why the transaction cannot commit any more: a write failed halfway.
    var failure: (any Error)?
    var isOver = false

    init(_ context: StoreContext, core: StoreCore?, identity: String?) {
        self.context = context
        self.core = core
        self.identity = identity
    }

    /// The clock of the store.
    public var time: any TimeSource { context.options.time }
    /// The randomness of the store, for new ids.
    public var random: any RandomSource { context.options.random }
    /// The models.
    public var schema: Schema { context.schema }
    /// Whether writing throws.
    public var isReadOnly: Bool { core == nil }

    var connection: Connection { context.connection }

    /// Which way a model travels by the policies that hold now.
    public func policy(of model: String) throws -> SyncPolicy {
        try open()
        return try context.table(model).policy
    }

    func open() throws {
        if isOver { throw StoreError.closed }
    }

    func writer() throws -> StoreCore {
        try open()
        guard let core else { throw StoreError.readOnly }
        return core
    }
}

extension StoreTransaction {
    /// The record with this key.
    public func get<M: Model>(_ type: M.Type, id: String) throws -> M? {
        try open()
        return try context.table(M.schema.name).table.fetch(M.self, key: id, on: connection)
    }

    /// The untyped record with this key.
    public func get(model: String, id: String) throws -> Record? {
        try open()
        let table = try context.table(model)
        return try table.fetch(id, on: connection).map { table.record($0.values) }
    }

    /// The records of which `condition` holds.
    ///
    /// Equal records of a sort come in the order of their keys; without a sort and a page the order is not settled.
    public func query<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, sort: [SortKey<M>] = [], page: Page? = nil
    ) throws -> [M] {
        try open()
        return try context.table(M.schema.name).table.models(
            M.self, RowQuery(filter: condition.node, sort: sort.map(\.key), page: page), on: connection)
    }

    /// The first record of which `condition` holds.
    public func first<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, sort: [SortKey<M>] = []
    ) throws -> M? {
        try query(type, where: condition, sort: sort, page: .first(1)).first
    }

    /// Untyped records.
    public func query(
        model: String, where condition: PredicateNode = .all, sort: [SortKeyNode] = [], page: Page? = nil
    ) throws -> [Record] {
        try open()
        return try context.table(model).table.records(
            RowQuery(filter: condition, sort: sort, page: page), on: connection)
    }

    /// Calls `body` with each record of which `condition` holds, without keeping them; it gives false to stop.
    ///
    /// Nothing of this model may be written meanwhile.
    public func forEach<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, sort: [SortKey<M>] = [], _ body: (M) throws -> Bool
    ) throws {
        try open()
        let query = RowQuery(filter: condition.node, sort: sort.map(\.key))
        try context.table(M.schema.name).table.read(query, on: connection) { try body(try $0.model(M.self)) }
    }

    /// How many records there are of which `condition` holds.
    public func count<M: Model>(_ type: M.Type, where condition: Predicate<M> = .all) throws -> Int {
        try open()
        return try context.table(M.schema.name).table.count(RowQuery(filter: condition.node), on: connection)
    }

    /// How many records of a model there are.
    public func count(model: String, where condition: PredicateNode = .all) throws -> Int {
        try open()
        return try context.table(model).table.count(RowQuery(filter: condition), on: connection)
    }

    /// Whether there is a record of which `condition` holds.
    public func exists<M: Model>(_ type: M.Type, where condition: Predicate<M> = .all) throws -> Bool {
        try open()
        var found = false
        try context.table(M.schema.name).table.read(RowQuery(filter: condition.node), on: connection) { _ in
            found = true
            return false
        }
        return found
    }
}

extension StoreTransaction {
    /// The next number of a named counter of this store: 1, 2, 3 … without a gap, since a rolled-back transaction gives
    /// its numbers back.
    public func nextSequence(_ name: String) throws -> Int64 {
        _ = try writer()
        return try connection.withStatement(StoreTransaction.nextText) { statement in
            statement.bind(name, at: 1)
            _ = try statement.step()
            return statement.integer(at: 0)
        }
    }

    private static let nextText = StatementText(
        """
        INSERT INTO "_sequence"("name","value") VALUES(?,1) ON CONFLICT("name") DO UPDATE SET "value"="value"+1 \
        RETURNING "value"
        """)

    /// The last number given out, 0 before the first.
    public func currentSequence(_ name: String) throws -> Int64 {
        try open()
        return try connection.value("SELECT \"value\" FROM \"_sequence\" WHERE \"name\"=?", [.text(name)])?.integer ?? 0
    }

    /// Lets a counter go on after `value`, such as after a number found in restored records; never back.
    public func raiseSequence(_ name: String, to value: Int64) throws {
        _ = try writer()
        try connection.run(
            """
            INSERT INTO "_sequence"("name","value") VALUES(?,?) ON CONFLICT("name") DO UPDATE SET \
            "value"=max("value",excluded."value")
            """, [.text(name), .integer(value)])
    }

    /// A setting of this store; it never travels.
    public func setting(_ key: String) throws -> String? {
        try open()
        return try meta("setting." + key)
    }

    /// Changes a setting of this store; nil removes it.
    public func setSetting(_ key: String, _ value: String?) throws {
        _ = try writer()
        try setMeta("setting." + key, value)
    }

    func meta(_ key: String) throws -> String? {
        try connection.value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"=?", [.text(key)])?.text
    }

    func setMeta(_ key: String, _ value: String?) throws {
        if let value {
            try connection.run(
                "INSERT INTO \"_meta\" VALUES(?,?) ON CONFLICT DO UPDATE SET \"value\"=excluded.\"value\"",
                [.text(key), .text(value)])
        } else {
            try connection.run("DELETE FROM \"_meta\" WHERE \"key\"=?", [.text(key)])
        }
    }
}
