import Basics
import Models

/// A filter or condition on one model's rows, as AppSync evaluates it (`appsync-protocol.md` §1.5).
///
/// DynamoDB's rules: a comparison with a missing value is false, `ne`, `notContains` and `notIn` of one are true;
/// `eq: null` is true of a missing value.
indirect enum RowFilter: Sendable, Hashable {
    case all
    case and([RowFilter])
    case or([RowFilter])
    case not(RowFilter)
    case field(Int, RowTest)
    case deleted(RowTest)

    /// Whether a row passes.
    func matches(_ row: HubRow, _ model: ModelSchema) -> Bool {
        var lists: [Int: ListContent] = [:]
        return matches(row, model, &lists)
    }

    /// - Parameter lists: The row's lists by position: what was read for one comparison serves all.
    private func matches(_ row: HubRow, _ model: ModelSchema, _ lists: inout [Int: ListContent]) -> Bool {
        switch self {
        case .all: true
        case .and(let parts): parts.allSatisfy { $0.matches(row, model, &lists) }
        case .or(let parts): parts.contains { $0.matches(row, model, &lists) }
        case .not(let part): !part.matches(row, model, &lists)
        case .field(let position, let test):
            model.fields[position].isList
                ? test.matches(row.values[position], model.fields[position], &lists[position])
                : test.matches(row.values[position], model.fields[position])
        case .deleted(let test): test.matches(row.deleted ? .integer(1) : .null, Self.deletedField)
        }
    }

    /// The fields that it looks at.
    var positions: Set<Int> {
        switch self {
        case .all, .deleted: []
        case .and(let parts), .or(let parts): parts.reduce(into: []) { $0.formUnion($1.positions) }
        case .not(let part): part.positions
        case .field(let position, _): [position]
        }
    }

    private static let deletedField = FieldSchema("_deleted", .scalar(.boolean))

    /// Its comparisons and connectives; those of a list of values count each.
    var parts: Int {
        switch self {
        case .all: 0
        case .and(let inner), .or(let inner): inner.reduce(1) { $0 + $1.parts }
        case .not(let inner): 1 + inner.parts
        case .field(_, let test), .deleted(let test): test.parts
        }
    }

    /// The bytes that its comparisons look at in a row.
    func bytes(in row: HubRow) -> Int {
        switch self {
        case .all, .deleted: 0
        case .and(let inner), .or(let inner): inner.reduce(0) { $0 + $1.bytes(in: row) }
        case .not(let inner): inner.bytes(in: row)
        case .field(let position, let test):
            if case .text(let text) = row.values[position] { test.parts * text.utf8.count } else { 0 }
        }
    }
}

/// One comparison of a filter; operands are in the field's storage form.
enum RowTest: Sendable, Hashable {
    case equal(Value)
    case notEqual(Value)
    case less(Value), lessOrEqual(Value), greater(Value), greaterOrEqual(Value)
    case between(Value, Value)
    case contains(Value), notContains(Value)
    case beginsWith(String)
    case isIn([Value]), notIn([Value])
    case exists(Bool)
    case attributeType(String)
    /// The length of a text or list, compared.
    case size([RowTest])
    /// An operand that no value of the field's type can equal: false, or true of the negated operators.
    case constant(Bool)

    func matches(_ value: Value, _ field: FieldSchema) -> Bool {
        var list: ListContent?
        return matches(value, field, &list)
    }

    /// - Parameter list: What the field's list holds, once it was read.
    func matches(_ stored: Value, _ field: FieldSchema, _ list: inout ListContent?) -> Bool {
        let value = DateTimeTexts.instant(stored, field)
        func order(_ operand: Value) -> Int? { Self.order(value, operand, field) }
        return switch self {
        case .equal(let operand): operand.isNull ? value.isNull : order(operand) == 0
        case .notEqual(let operand): operand.isNull ? !value.isNull : order(operand) != 0
        case .less(let operand): order(operand).map { $0 < 0 } ?? false
        case .lessOrEqual(let operand): order(operand).map { $0 <= 0 } ?? false
        case .greater(let operand): order(operand).map { $0 > 0 } ?? false
        case .greaterOrEqual(let operand): order(operand).map { $0 >= 0 } ?? false
        case .between(let low, let high):
            (order(low).map { $0 >= 0 } ?? false) && (order(high).map { $0 <= 0 } ?? false)
        case .contains(let operand): Self.contains(value, operand, field, &list)
        case .notContains(let operand): !Self.contains(value, operand, field, &list)
        case .beginsWith(let prefix): Self.text(value, field).map { hasPrefix($0, prefix) } ?? false
        case .isIn(let operands): operands.contains { order($0) == 0 }
        case .notIn(let operands): !operands.contains { order($0) == 0 }
        case .exists(let wanted): value.isNull != wanted
        case .attributeType(let name): Self.attributeType(value, field) == name
        case .size(let tests):
            Self.size(value, field, &list).map { size in tests.allSatisfy { $0.matches(.integer(size), Self.sizeField) }
            }
                ?? false
        case .constant(let result): result
        }
    }

    /// How many values it compares with.
    var parts: Int {
        switch self {
        case .isIn(let values), .notIn(let values): max(1, values.count)
        case .size(let tests): tests.reduce(1) { $0 + $1.parts }
        default: 1
        }
    }

    private static let sizeField = FieldSchema("size", .scalar(.int))

    /// Orders a field's value and an operand: dates by their instants. What is no whole date is compared with a date's text,
    /// as AppSync compares what it stores: `2026-07` lies before all of July. The text is that in UTC, whatever words the
    /// date came in, so that filters and indexes give the same rows.
    private static func order(_ value: Value, _ operand: Value, _ field: FieldSchema) -> Int? {
        // A list is stored as a text, and is none: only those of enums are compared, as a whole and for equality alone.
        if field.isList {
            guard case .enumeration = field.type else { return nil }
        }
        if case .text = operand, case .integer = value, let text = text(value, field) {
            return compare(.text(text), operand)
        }
        return compare(value, operand)
    }

    /// The text that string operators see: an AWSDateTime in its wire form.
    private static func text(_ value: Value, _ field: FieldSchema) -> String? {
        if field.isList { return nil }
        switch value {
        case .text(let text): return text
        case .integer(let number):
            guard case .scalar(.awsDateTime) = field.type else { return nil }
            return DateTime(milliseconds: number).iso8601
        default: return nil
        }
    }

    private static func contains(
        _ value: Value, _ operand: Value, _ field: FieldSchema, _ list: inout ListContent?
    ) -> Bool {
        if field.isList { return content(value, field, &list).holds(operand) }
        guard let text = text(value, field), case .text(let part) = operand else { return false }
        return text.containsBytes(of: part)
    }

    private static func content(_ value: Value, _ field: FieldSchema, _ list: inout ListContent?) -> ListContent {
        if let list { return list }
        let read = ListContent(value, field)
        list = read
        return read
    }

    private static func size(_ value: Value, _ field: FieldSchema, _ list: inout ListContent?) -> Int64? {
        if field.isList { return content(value, field, &list).count.map(Int64.init) }
        return text(value, field).map { Int64($0.utf8.count) }
    }

    private static func attributeType(_ value: Value, _ field: FieldSchema) -> String {
        if value.isNull { return "_null" }
        if field.isList { return "list" }
        switch field.type {
        case .embedded: return "map"
        case .enumeration: return "string"
        case .scalar(.int), .scalar(.float), .scalar(.decimal), .scalar(.awsTimestamp): return "number"
        case .scalar(.boolean): return "bool"
        default: return "string"
        }
    }
}

/// Orders two values of one field: negative, zero or positive; nil where one is missing or they do not compare.
private func compare(_ a: Value, _ b: Value) -> Int? {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): return a < b ? -1 : (a > b ? 1 : 0)
    case (.text(let a), .text(let b)):
        if a.hasSameBytes(as: b) { return 0 }
        return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
    case (.real(let a), .real(let b)): return a < b ? -1 : (a > b ? 1 : (a == b ? 0 : nil))
    case (.integer(let a), .real): return compare(.real(Double(a)), b)
    case (.real, .integer(let b)): return compare(a, .real(Double(b)))
    default: return nil
    }
}

private func hasPrefix(_ text: String, _ prefix: String) -> Bool { text.utf8.starts(with: prefix.utf8) }
