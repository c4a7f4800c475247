import Basics

/// How a field is compared.
public enum Comparison: Sendable, Hashable {
    case equal(Value)
    case notEqual(Value)
    case less(Value)
    case lessOrEqual(Value)
    case greater(Value)
    case greaterOrEqual(Value)
    case between(Value, Value)
    /// Substring of text (case matters), or element of a list.
    case contains(Value)
    case notContains(Value)
    case beginsWith(String)
    case isIn([Value])
    case notIn([Value])
    /// Whether the field has a value at all.
    case exists(Bool)
    /// Substring of text, case ignored.
    case containsIgnoringCase(String)
    /// The same text, case ignored.
    case equalsIgnoringCase(String)
    /// Text that begins so, case ignored.
    case beginsWithIgnoringCase(String)
}

extension Comparison {
    /// Whether it only asks if there is a value.
    public var isNullTest: Bool {
        switch self {
        case .equal(.null), .notEqual(.null), .exists: true
        default: false
        }
    }
}

/// A condition on one model's records, untyped.
///
/// A comparison with a missing value is false, except `notEqual`, `notContains` and `notIn`, which are true (DynamoDB's
/// rule, `appsync-protocol.md` §1.5). `equal(.null)` is true of a missing value, `notEqual(.null)` of a present one.
public indirect enum PredicateNode: Sendable, Hashable {
    case all
    case field(String, Comparison)
    case and([PredicateNode])
    case or([PredicateNode])
    case not(PredicateNode)
    /// True where at least one record that the named relation leads to meets the condition.
    case related(String, PredicateNode)
}

extension PredicateNode {
    /// Whether it looks at related records, so that a record alone cannot tell.
    public var namesRelations: Bool {
        switch self {
        case .all, .field: false
        case .and(let nodes), .or(let nodes): nodes.contains(where: \.namesRelations)
        case .not(let node): node.namesRelations
        case .related: true
        }
    }
}

/// A condition on records of `M`, made with operators on its fields:
///
///     Bin.zoneID == zone.id && Bin.walkSequence > 10
public struct Predicate<M: Model>: Sendable, Hashable {
    /// The untyped form.
    public let node: PredicateNode

    /// Wraps an untyped condition; its fields must be `M`'s.
    public init(_ node: PredicateNode) {
        self.node = node
    }

    /// True of every record.
    public static var all: Predicate { Predicate(.all) }

    /// Both.
    public static func && (a: Predicate, b: Predicate) -> Predicate { Predicate(.and([a.node, b.node])) }
    /// Either.
    public static func || (a: Predicate, b: Predicate) -> Predicate { Predicate(.or([a.node, b.node])) }
    /// The opposite.
    public static prefix func ! (a: Predicate) -> Predicate { Predicate(.not(a.node)) }
}

/// A field of `M` that holds a `V`, for predicates and sorts.
public struct Field<M: Model, V: FieldValue>: Sendable, Hashable {
    /// The field's name in the schema.
    public let name: String

    /// Names a field.
    public init(_ name: String) {
        self.name = name
    }

    fileprivate func predicate(_ comparison: Comparison) -> Predicate<M> { Predicate(.field(name, comparison)) }

    /// Equal; with nil: has no value.
    public static func == (a: Field, b: V) -> Predicate<M> { a.predicate(.equal(b.storageValue)) }
    /// Not equal; true of a missing value, except with nil: has a value.
    public static func != (a: Field, b: V) -> Predicate<M> { a.predicate(.notEqual(b.storageValue)) }
    /// Less than.
    public static func < (a: Field, b: V) -> Predicate<M> { a.predicate(.less(b.storageValue)) }
    /// Less than or equal.
    public static func <= (a: Field, b: V) -> Predicate<M> { a.predicate(.lessOrEqual(b.storageValue)) }
    /// Greater than.
    public static func > (a: Field, b: V) -> Predicate<M> { a.predicate(.greater(b.storageValue)) }
    /// Greater than or equal.
    public static func >= (a: Field, b: V) -> Predicate<M> { a.predicate(.greaterOrEqual(b.storageValue)) }

    /// Between two values, both included.
    public func between(_ low: V, _ high: V) -> Predicate<M> {
        predicate(.between(low.storageValue, high.storageValue))
    }
    /// One of these values.
    public func isIn(_ values: [V]) -> Predicate<M> { predicate(.isIn(values.map(\.storageValue))) }
    /// None of these values; true of a missing value.
    public func isNotIn(_ values: [V]) -> Predicate<M> { predicate(.notIn(values.map(\.storageValue))) }
    /// Whether there is a value.
    public func exists(_ flag: Bool = true) -> Predicate<M> { predicate(.exists(flag)) }
}

extension Field where V: TextFieldValue {
    /// Text that begins so; LIKE's wildcards are ordinary characters.
    public func beginsWith(_ prefix: String) -> Predicate<M> { predicate(.beginsWith(prefix)) }
    /// Text that contains this; LIKE's wildcards are ordinary characters.
    public func contains(_ text: String) -> Predicate<M> { predicate(.contains(.text(text))) }
    /// Text that does not contain this; true of a missing value.
    public func notContains(_ text: String) -> Predicate<M> { predicate(.notContains(.text(text))) }
    /// Text that contains this, case ignored.
    public func containsIgnoringCase(_ text: String) -> Predicate<M> { predicate(.containsIgnoringCase(text)) }
    /// The same text, case ignored.
    public func equalsIgnoringCase(_ text: String) -> Predicate<M> { predicate(.equalsIgnoringCase(text)) }
    /// Text that begins so, case ignored.
    public func beginsWithIgnoringCase(_ text: String) -> Predicate<M> { predicate(.beginsWithIgnoringCase(text)) }
}

extension Field where V: ListFieldValue {
    /// A list that has this element.
    public func contains(_ element: V.Member) -> Predicate<M> { predicate(.contains(element.storageValue)) }
    /// A list that has no such element; true of a missing list.
    public func notContains(_ element: V.Member) -> Predicate<M> { predicate(.notContains(element.storageValue)) }
}

extension Field where V: ListFieldValue, V.Member: TextFieldValue {
    /// A list with an element that contains this text, case ignored.
    public func containsIgnoringCase(_ text: String) -> Predicate<M> { predicate(.containsIgnoringCase(text)) }
}

/// One key of a sort order.
public struct SortKey<M: Model>: Sendable, Hashable {
    /// The untyped form.
    public let key: SortKeyNode

    /// Smallest first; missing values come first.
    public static func ascending<V>(_ field: Field<M, V>) -> SortKey {
        SortKey(key: SortKeyNode(field.name, .ascending))
    }
    /// Largest first; missing values come last.
    public static func descending<V>(_ field: Field<M, V>) -> SortKey {
        SortKey(key: SortKeyNode(field.name, .descending))
    }
}

/// One key of a sort order, untyped.
public struct SortKeyNode: Sendable, Hashable {
    /// The direction of a sort.
    public enum Direction: Sendable, Hashable {
        case ascending, descending
    }

    /// The field's name.
    public let field: String
    /// The direction.
    public let direction: Direction

    /// Names a field and a direction.
    public init(_ field: String, _ direction: Direction) {
        self.field = field
        self.direction = direction
    }
}
