import Basics
import Models
import SQLite

/// Evaluates a predicate on records in memory; it agrees with ``SQLFilter`` on every record.
///
/// Text is compared by its UTF-8 bytes, as SQLite does, and not by Unicode equivalence, as Swift does.
public struct RecordFilter: Sendable {
    private let root: ResolvedPredicate

    /// Prepares a predicate for records of a model.
    ///
    /// - Throws: ``FilterError`` for a field that the model does not have or that cannot be filtered by.
    public init(_ node: PredicateNode, of schema: ModelSchema) throws(FilterError) {
        root = try ResolvedPredicate(node, schema)
    }

    /// Whether it is true of a record.
    public func matches(_ record: Record) -> Bool { matches(record.values) }

    /// Whether it is true of a record's values, which are in the schema's order.
    public func matches(_ values: [Value]) -> Bool { RecordFilter.evaluate(root, values) }

    private static func evaluate(_ node: ResolvedPredicate, _ values: [Value]) -> Bool {
        switch node {
        case .constant(let flag): flag
        case .and(let parts): parts.allSatisfy { evaluate($0, values) }
        case .or(let parts): parts.contains { evaluate($0, values) }
        case .test(let position, let test, let negated): evaluate(test, values[position]) != negated
        // Without a lookup of models no such part is ever made.
        case .related(_, _, _, let negated): negated
        }
    }

    private static func evaluate(_ test: FieldTest, _ value: Value) -> Bool {
        if case .isNull = test { return value.isNull }
        guard !value.isNull else { return false }
        switch test {
        case .isNull: return false
        case .equal(let other): return value.storageOrder(other) == 0
        case .less(let other): return value.storageOrder(other) < 0
        case .lessOrEqual(let other): return value.storageOrder(other) <= 0
        case .greater(let other): return value.storageOrder(other) > 0
        case .greaterOrEqual(let other): return value.storageOrder(other) >= 0
        case .between(let low, let high): return value.storageOrder(low) >= 0 && value.storageOrder(high) <= 0
        case .oneOf(let others): return others.contains { value.storageOrder($0) == 0 }
        case .hasPrefix(let prefix): return value.text?.utf8.starts(with: prefix.utf8) ?? false
        case .hasSubstring(let part): return value.text.map { contains(Array($0.utf8), Array(part.utf8)) } ?? false
        case .hasSubstringIgnoringCase(let part):
            return value.text.map { contains(Array(CaseFolding.folded($0).utf8), Array(part.utf8)) } ?? false
        case .equalIgnoringCase(let other):
            return value.text.map { CaseFolding.folded($0).utf8.elementsEqual(other.utf8) } ?? false
        case .hasPrefixIgnoringCase(let prefix):
            return value.text.map { CaseFolding.folded($0).utf8.starts(with: prefix.utf8) } ?? false
        case .hasElement(let other): return elements(value).contains { $0.storageOrder(other) == 0 }
        case .hasElementWithSubstringIgnoringCase(let part):
            return elements(value).contains { contains(Array(CaseFolding.folded(keyText($0)).utf8), Array(part.utf8)) }
        }
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first else { return true }
        guard text.count >= part.count else { return false }
        for start in 0...(text.count - part.count) where text[start] == first {
            if text[start..<start + part.count].elementsEqual(part) { return true }
        }
        return false
    }

    /// The elements of a JSON list, without nulls.
    private static func elements(_ value: Value) -> [Value] {
        guard case .text(let text) = value, let parsed = try? JSONValue(parsing: text) else { return [] }
        return (parsed.array ?? []).compactMap { element in
            switch element {
            case .string(let text): .text(text)
            case .integer(let value): .integer(value)
            case .number(let text): Double(text).map { .real($0) }
            case .bool(let flag): .integer(flag ? 1 : 0)
            case .null, .array, .object: nil
            }
        }
    }
}

extension PredicateNode {
    /// Whether the predicate is true of a record; ``RecordFilter`` is faster for many records.
    ///
    /// - Throws: ``FilterError`` for a field that the model does not have or that cannot be filtered by.
    public func matches(_ record: Record) throws(FilterError) -> Bool {
        try RecordFilter(self, of: record.schema).matches(record)
    }
}
