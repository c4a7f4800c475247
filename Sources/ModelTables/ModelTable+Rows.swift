import Models
import SQLite

extension ModelTable {
    /// Inserts a record; `metadata` has one value per metadata column. Gives the row's number.
    ///
    /// - Throws: ``SQLiteError``; ``SQLiteError/isUniqueViolation`` where the key exists.
    @discardableResult
    public func insert(_ record: Record, metadata: [Value] = [], on connection: Connection) throws -> Int64 {
        try connection.withStatement(insertText) { statement in
            bind(record, metadata, to: statement)
            _ = try statement.step()
        }
        return connection.lastInsertedRow
    }

    /// Inserts a record, or gives the row with its key all these values.
    public func upsert(_ record: Record, metadata: [Value] = [], on connection: Connection) throws {
        try connection.withStatement(upsertText) { statement in
            bind(record, metadata, to: statement)
            _ = try statement.step()
        }
    }

    private func bind(_ record: Record, _ metadata: [Value], to statement: Statement) {
        check(metadata)
        precondition(
            record.values.count == schema.fields.count, "A record of \(schema.name) has one value per field.")
        var position = 1
        if hasKeyColumn {
            statement.bind(record.id, at: position)
            position += 1
        }
        position = statement.bind(record.values, from: position)
        statement.bind(metadata, from: position)
    }

    @usableFromInline
    func check(_ metadata: [Value]) {
        precondition(
            metadata.count == self.metadata.count, "A row of \(schema.name) needs one value per metadata column.")
    }

    /// Sets some columns, each given by its position in the schema or in ``metadata``; false where no row has the key.
    ///
    /// Key fields cannot be set: a record's key never changes.
    @discardableResult
    public func update(
        key: String, fields: [(position: Int, value: Value)] = [], metadata: [(position: Int, value: Value)] = [],
        on connection: Connection
    ) throws -> Bool {
        let fieldCount = schema.fields.count
        let positions = fields.map(\.position) + metadata.map { $0.position + fieldCount }
        guard !positions.isEmpty else { return try contains(key: key, on: connection) }
        return try connection.withStatement(updateText(positions)) { statement in
            var index = statement.bind(fields.lazy.map(\.value))
            index = statement.bind(metadata.lazy.map(\.value), from: index)
            statement.bind(key, at: index)
            _ = try statement.step()
            return connection.changes > 0
        }
    }

    /// Deletes the record with a key; false where there is none.
    @discardableResult
    public func delete(key: String, on connection: Connection) throws -> Bool {
        try connection.withStatement(deleteText) { statement in
            statement.bind(key, at: 1)
            _ = try statement.step()
            return connection.changes > 0
        }
    }

    /// The row with a key.
    public func fetch(key: String, on connection: Connection) throws -> StoredRow? {
        try reading(key: key, on: connection) { $0.stored }
    }

    /// Reads the row with a key in place; nil where there is none.
    public func reading<R>(
        key: String, on connection: Connection, _ body: (inout RowReader) throws -> R
    ) throws -> R? {
        try connection.withStatement(fetchText) { statement in
            statement.bind(key, at: 1)
            guard try statement.step() else { return nil }
            var reader = RowReader(statement, self)
            return try body(&reader)
        }
    }

    /// Whether a record has this key.
    public func contains(key: String, on connection: Connection) throws -> Bool {
        try row(key: key, on: connection) != nil
    }

    /// The number of the row with a key.
    public func row(key: String, on connection: Connection) throws -> Int64? {
        try connection.withStatement(existsText) { statement in
            statement.bind(key, at: 1)
            return try statement.step() ? statement.integer(at: 0) : nil
        }
    }
}

extension ModelTable {
    /// Inserts a model's value; gives the row's number.
    @discardableResult
    public func insert<M: Model>(_ model: M, metadata: [Value] = [], on connection: Connection) throws -> Int64 {
        try connection.withStatement(insertText) { statement in
            bind(model, metadata, to: statement)
            _ = try statement.step()
        }
        return connection.lastInsertedRow
    }

    /// Inserts a model's value, or gives the row with its key all these values.
    public func upsert<M: Model>(_ model: M, metadata: [Value] = [], on connection: Connection) throws {
        try connection.withStatement(upsertText) { statement in
            bind(model, metadata, to: statement)
            _ = try statement.step()
        }
    }

    private func bind<M: Model>(_ model: M, _ metadata: [Value], to statement: Statement) {
        check(metadata)
        if hasKeyColumn { statement.bind(model.id, at: 1) }
        var encoder = StatementEncoder(statement, from: hasKeyColumn ? 2 : 1)
        model.encode(into: &encoder)
        statement.bind(metadata, from: encoder.position)
    }

    /// The model's value with a key.
    public func fetch<M: Model>(_ type: M.Type = M.self, key: String, on connection: Connection) throws -> M? {
        try reading(key: key, on: connection) { try $0.model(M.self) }
    }
}
