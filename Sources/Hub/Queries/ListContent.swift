import Basics
import Models

/// What a list field holds of one row, to be looked up any number of times: to read a list takes as long as it is.
struct ListContent {
    /// Its elements, nulls among them; nil where there is no list.
    let count: Int?
    private let values: Set<Value>

    init(_ value: Value, _ field: FieldSchema) {
        guard case .text(let text) = value, case .array(let elements)? = try? JSONValue(parsing: text) else {
            (count, values) = (nil, [])
            return
        }
        count = elements.count
        values = Set(elements.compactMap { Self.stored($0, field.type) })
    }

    /// Whether an element equals an operand, numbers of either kind by what they say.
    func holds(_ operand: Value) -> Bool {
        if operand.isNull { return false }
        if values.contains(operand) { return true }
        switch operand {
        case .integer(let number): return values.contains(.real(Double(number)))
        case .real(let number): return Int64(exactly: number).map { values.contains(.integer($0)) } ?? false
        case .text, .null: return false
        }
    }

    private static func stored(_ json: JSONValue, _ type: FieldType) -> Value? {
        if json.isNull { return nil }
        if case .scalar(let scalar) = type { return scalar.storageValue(of: json) }
        return json.string.map { .text($0) }
    }
}
