import Basics
import Models

/// Reads records of one model straight from bytes: no tree is built, a field's name is compared only with the one that
/// is expected next.
///
/// `Schema.storageValue(of:for:in:)` says what is valid; this gives the same results faster.
public struct RecordReader: Sendable {
    let schema: Schema
    let model: ModelSchema
    private let fields: [FieldReader]
    /// Names in the order of a selection: the fields, then the three of the sync protocol and the type's name.
    private let names: [[UInt8]]

    /// Prepares for a model of the schema.
    public init(schema: Schema, model: ModelSchema) {
        self.schema = schema
        self.model = model
        fields = model.fields.map { FieldReader($0, schema) }
        names =
            (model.fields.map(\.name) + [
                SyncField.version, SyncField.deleted, SyncField.lastChangedAt, SyncField.typename,
            ])
            .map { Array($0.utf8) }
    }

    /// Reads one object.
    ///
    /// - Returns: the record, or why it cannot be used; nil for `null`.
    /// - Throws: `JSONError` where the bytes are no JSON: nothing after them can be read either.
    package func read(_ cursor: inout JSONCursor) throws(JSONError) -> Result<WireRecord, QuarantinedRecord>? {
        if try cursor.takeNull() { return nil }
        let start = cursor.index
        var values = [Value](repeating: .null, count: fields.count)
        var version: Int64?
        var isDeleted = false
        var lastChangedAt: Int64 = 0
        var fault: String?
        var expected = 0
        var more = try cursor.beginObject()
        while more {
            let key = try cursor.key()
            let slot = position(of: key, expected, cursor)
            expected = slot + 1
            switch slot {
            case ..<0:
                expected = 0
                _ = try cursor.skipValue()
            case ..<fields.count:
                if let problem = try fields[slot].read(&cursor, into: &values[slot]), fault == nil { fault = problem }
            case fields.count: version = try Self.integer(&cursor)
            case fields.count + 1:
                if try !cursor.takeNull() { isDeleted = try cursor.bool() }
            case fields.count + 2: lastChangedAt = try Self.integer(&cursor) ?? 0
            default: _ = try cursor.skipValue()
            }
            more = try cursor.nextMember()
        }
        if version == nil { fault = fault ?? "_version is missing" }
        if fault == nil { fault = missing(in: values, isDeleted: isDeleted) }
        let record = Record(schema: model, values: values)
        if let fault {
            let hasKey = model.primaryKey.allSatisfy { !record[$0].isNull }
            return .failure(
                QuarantinedRecord(
                    model: model.name, id: hasKey ? record.id : nil, version: version, reason: fault,
                    text: cursor.text(start..<cursor.index)))
        }
        return .success(
            WireRecord(record: record, version: version ?? 0, isDeleted: isDeleted, lastChangedAt: lastChangedAt))
    }

    /// A required field without a value; of a tombstone only the key is required.
    private func missing(in values: [Value], isDeleted: Bool) -> String? {
        for (position, field) in model.fields.enumerated() where values[position].isNull {
            if model.primaryKey.contains(field.name) { return "\(field.name) is missing" }
            if !isDeleted, field.isRequired, !field.isReadOnly { return "\(field.name) is missing" }
        }
        return nil
    }

    private func position(of key: Range<Int>, _ expected: Int, _ cursor: JSONCursor) -> Int {
        if expected < names.count, cursor.matches(key, names[expected]) { return expected }
        return names.firstIndex { cursor.matches(key, $0) } ?? -1
    }

    private static func integer(_ cursor: inout JSONCursor) throws(JSONError) -> Int64? {
        if try cursor.takeNull() { return nil }
        return cursor.integer(try cursor.number())
    }
}
