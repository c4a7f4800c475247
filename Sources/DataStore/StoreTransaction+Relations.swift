import Basics
import ModelTables
import Models

// Records hold keys, not each other: what a relation leads to is loaded when it is asked for, and only then.
extension StoreTransaction {
    /// The record that a `@belongsTo` or `@hasOne` leads to; nil where there is none, or it is not here yet.
    public func related<M: Model, T: Model>(_ record: M, _ relation: ToOne<M, T>) throws -> T? {
        if try isHeldByTarget(M.schema, relation.name) {
            return try related(record, ToMany<M, T>(relation.name), page: .first(1)).first
        }
        guard let id = try target(of: record.record, relation.name) else { return nil }
        return try get(T.self, id: id)
    }

    /// The records of a `@hasMany` that belong to a record.
    public func related<M: Model, T: Model>(
        _ record: M, _ relation: ToMany<M, T>, where condition: Predicate<T> = .all, sort: [SortKey<T>] = [],
        page: Page? = nil
    ) throws -> [T] {
        guard let mine = try children(of: record.record, relation.name) else { return [] }
        return try query(T.self, where: Predicate(.and([mine, condition.node])), sort: sort, page: page)
    }

    /// The records at the other side of a `@manyToMany`, through its join model.
    ///
    ///     try transaction.related(post, Post.tags, through: PostTags.tag)
    public func related<M: Model, J: Model, T: Model>(
        _ record: M, _ relation: ToMany<M, J>, through other: ToOne<J, T>, where condition: Predicate<T> = .all,
        sort: [SortKey<T>] = [], page: Page? = nil
    ) throws -> [T] {
        let ids = try related(record, relation).compactMap { try target(of: $0.record, other.name) }
        return try query(T.self, ids, condition.node, sort.map(\.key), page)
    }

    /// What a to-one relation leads to for many records at once, by the records' keys: one query in place of many.
    ///
    /// Records whose keys differ in their Unicode form only share an entry, as they do in every dictionary of texts.
    public func related<M: Model, T: Model>(_ records: [M], _ relation: ToOne<M, T>) throws -> [String: T] {
        if try isHeldByTarget(M.schema, relation.name) {
            return try related(records, ToMany<M, T>(relation.name)).compactMapValues {
                $0.min { utf8Order($0.id, $1.id) < 0 }
            }
        }
        var targets: [(record: String, target: String)] = []
        for record in records {
            if let id = try target(of: record.record, relation.name) { targets.append((record.id, id)) }
        }
        let found = try query(T.self, Set(targets.map { ByteText($0.target) }).map(\.text), .all, [], nil)
        let byID = Dictionary(found.map { (ByteText($0.id), $0) }, uniquingKeysWith: { first, _ in first })
        return Dictionary(
            targets.compactMap { pair in byID[ByteText(pair.target)].map { (pair.record, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// What belongs to each of many records, by their keys, in the given order: one query in place of many.
    ///
    /// Records whose keys differ in their Unicode form only share an entry, as they do in every dictionary of texts.
    public func related<M: Model, T: Model>(
        _ records: [M], _ relation: ToMany<M, T>, where condition: Predicate<T> = .all, sort: [SortKey<T>] = []
    ) throws -> [String: [T]] {
        try open()
        let pairs = try self.relation(M.schema, relation.name).pairs
        var owners: [[Value]: String] = [:]
        for record in records.map(\.record) { owners[pairs.map { record[$0.own] }] = record.id }
        guard let first = pairs.first, !owners.isEmpty else { return [:] }
        // One key field is enough to find few rows; the others are compared below.
        let keys = Set(owners.keys.map { $0[0] })
        let mine = PredicateNode.field(first.target, .isIn(keys.sorted { $0.storageOrder($1) < 0 }))
        var result: [String: [T]] = [:]
        for child in try query(T.self, where: Predicate(.and([mine, condition.node])), sort: sort) {
            let record = child.record
            guard let owner = owners[pairs.map { record[$0.target] }] else { continue }
            result[owner, default: []].append(child)
        }
        return result
    }

    /// The untyped record that a to-one relation leads to.
    public func related(_ record: Record, toOne relation: String) throws -> Record? {
        if try isHeldByTarget(record.schema, relation) {
            return try related(record, toMany: relation).min { utf8Order($0.id, $1.id) < 0 }
        }
        guard let id = try target(of: record, relation) else { return nil }
        return try get(model: try self.relation(record.schema, relation).target.name, id: id)
    }

    /// The untyped records that belong to a record.
    public func related(_ record: Record, toMany relation: String) throws -> [Record] {
        guard let mine = try children(of: record, relation) else { return [] }
        return try query(model: try self.relation(record.schema, relation).target.name, where: mine)
    }

    /// A relation of a model: the other model, and the fields that must be equal.
    private func relation(_ model: ModelSchema, _ name: String) throws -> (
        target: ModelSchema, pairs: [(own: String, target: String)]
    ) {
        try open()
        guard let relation = model.relation(name) else {
            throw StoreError.invalidQuery("\(model.name).\(name): there is no such relation")
        }
        let target = try context.table(relation.target).model
        return (target, relation.pairs(from: model, to: target))
    }

    /// Whether the other record names this one: `@hasOne(references:)`.
    private func isHeldByTarget(_ model: ModelSchema, _ name: String) throws -> Bool {
        try open()
        return model.relation(name)?.isKeyInTarget ?? false
    }

    /// The key of the record that a to-one relation names; nil where a part of it holds nothing.
    private func target(of record: Record, _ name: String) throws -> String? {
        let (target, pairs) = try relation(record.schema, name)
        let values = Dictionary(pairs.map { ($0.target, record[$0.own]) }, uniquingKeysWith: { first, _ in first })
        let key = target.primaryKey.map { values[$0] ?? .null }
        return key.contains(.null) ? nil : key.map(keyText).joined(separator: "#")
    }

    private func children(of record: Record, _ name: String) throws -> PredicateNode? {
        let pairs = try relation(record.schema, name).pairs
        guard !pairs.isEmpty, pairs.allSatisfy({ !record[$0.own].isNull }) else { return nil }
        return .and(pairs.map { .field($0.target, .equal(record[$0.own])) })
    }

    private func query<T: Model>(
        _ type: T.Type, _ ids: [String], _ condition: PredicateNode, _ sort: [SortKeyNode], _ page: Page?
    ) throws -> [T] {
        guard !ids.isEmpty else { return [] }
        let table = try context.table(T.schema.name).table
        let list = JSONValue.array(ids.map { .string($0) }).text
        let keys = SQLCondition(
            "\(table.name).\(table.keyColumn) IN (SELECT value FROM json_each(?))", [.text(list)])
        return try table.models(
            T.self, RowQuery(filter: condition, sort: sort, page: page, condition: keys), on: connection)
    }
}

extension DataStore {
    /// The record that a `@belongsTo` or `@hasOne` leads to; nil where there is none, or it is not here yet.
    public func related<M: Model, T: Model>(_ record: M, _ relation: ToOne<M, T>) async throws -> T? {
        try await read { try $0.related(record, relation) }
    }

    /// The records of a `@hasMany` that belong to a record.
    public func related<M: Model, T: Model>(
        _ record: M, _ relation: ToMany<M, T>, where condition: Predicate<T> = .all, sort: [SortKey<T>] = [],
        page: Page? = nil
    ) async throws -> [T] {
        try await read { try $0.related(record, relation, where: condition, sort: sort, page: page) }
    }

    /// The records at the other side of a `@manyToMany`, through its join model.
    public func related<M: Model, J: Model, T: Model>(
        _ record: M, _ relation: ToMany<M, J>, through other: ToOne<J, T>, where condition: Predicate<T> = .all,
        sort: [SortKey<T>] = [], page: Page? = nil
    ) async throws -> [T] {
        try await read {
            try $0.related(record, relation, through: other, where: condition, sort: sort, page: page)
        }
    }

    /// How many records of a model name a parent that is not here (yet).
    public func orphanCount<M: Model>(_ type: M.Type) async throws -> Int {
        try await read { try $0.orphanCount(model: M.schema.name) }
    }
}
