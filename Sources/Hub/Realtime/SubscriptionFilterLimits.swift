import Basics
import Models

/// What the filter of a subscription may hold: AppSync's limits, in its own words, which its clients look for before they
/// ask again without a filter (`appsync-protocol.md` §4.7).
public struct SubscriptionFilterLimits: Sendable, Hashable {
    /// Fields that one alternative names.
    public var fields = 5
    /// Alternatives, once `in`, `notIn` and nested `or` are multiplied out.
    public var combinations = 10
    /// Comparisons and connectives in all: each is looked at for each change, while commits wait.
    public var parts = 100
    /// Values of one `in` or `notIn`.
    public var values = 5
    /// Characters of a text.
    public var characters = 256
    /// Levels of `and` and `or`.
    public var levels = 5

    /// AppSync's limits.
    public init() {}

    /// Refuses a filter that is more than that.
    func check(_ filter: RowFilter, _ model: ModelSchema) throws(InputError) {
        guard filter != .all else { return }
        guard filter.parts <= parts else { throw tooMany }
        try measure(filter, level: 1)
        var alternatives = try alternatives(filter)
        alternatives = Array(Set(alternatives))
        guard alternatives.allSatisfy({ $0.count <= fields }) else {
            throw InputError("Filters exceed maximum attributes limit")
        }
    }

    private var tooMany: InputError { InputError("Filters combination exceed maximum limit") }

    /// Levels, values and texts.
    private func measure(_ filter: RowFilter, level: Int) throws(InputError) {
        switch filter {
        case .all: return
        case .and(let parts), .or(let parts):
            guard level <= levels else { throw tooMany }
            for part in parts { try measure(part, level: level + 1) }
        case .not(let part): try measure(part, level: level)
        case .field(_, let test), .deleted(let test):
            guard test.operands.allSatisfy({ ($0.text?.unicodeScalars.count ?? 0) <= characters }) else {
                throw InputError("Filter values exceed maximum length of \(characters) characters")
            }
            switch test {
            case .isIn(let operands), .notIn(let operands):
                guard operands.count <= values else { throw tooMany }
            default: return
            }
        }
    }

    /// The fields that each alternative names; never more alternatives than are allowed are worked out.
    private func alternatives(_ filter: RowFilter) throws(InputError) -> [Set<Int>] {
        switch filter {
        case .all: return [[]]
        case .field(let position, let test):
            if case .isIn(let operands) = test { return Array(repeating: [position], count: max(1, operands.count)) }
            return [[position]]
        case .deleted: return [[-1]]
        case .not(let part): return try alternatives(part)
        case .or(let parts):
            var result: [Set<Int>] = []
            for part in parts {
                result += try alternatives(part)
                guard result.count <= combinations else { throw tooMany }
            }
            return result
        case .and(let parts):
            var result: [Set<Int>] = [[]]
            for part in parts {
                let more = try alternatives(part)
                guard result.count * more.count <= combinations else { throw tooMany }
                result = result.flatMap { fields in more.map { fields.union($0) } }
            }
            return result
        }
    }
}

extension RowTest {
    /// The values that it compares with.
    fileprivate var operands: [Value] {
        switch self {
        case .equal(let value), .notEqual(let value), .less(let value), .lessOrEqual(let value), .greater(let value),
            .greaterOrEqual(let value), .contains(let value), .notContains(let value):
            [value]
        case .between(let low, let high): [low, high]
        case .isIn(let values), .notIn(let values): values
        case .beginsWith(let text): [.text(text)]
        case .exists, .attributeType, .size, .constant: []
        }
    }
}
