import Basics
import Models

extension JSONWriter {
    /// Appends a field's storage form as its wire value, without building a tree.
    ///
    /// Stored JSON text (lists, embedded types) is already in wire form and is copied; `AWSJSON` is a string that holds it.
    @inlinable
    public mutating func wire(_ value: Value, of field: FieldSchema) {
        switch value {
        case .null: raw("null")
        case .text(let text):
            if field.isStoredAsJSON, !field.isAWSJSONText { raw(text) } else { string(text) }
        case .integer(let number):
            if case .scalar(let scalar) = field.type { wireInteger(number, scalar) } else { integer(number) }
        case .real(let number):
            if number == number.rounded(), abs(number) < 1e15 { integer(Int64(number)) } else { raw("\(number)") }
        }
    }

    @usableFromInline
    mutating func wireInteger(_ number: Int64, _ scalar: ScalarType) {
        switch scalar {
        case .boolean: if number != 0 { raw("true") } else { raw("false") }
        case .decimal(let places):
            if number % powerOfTen(places) == 0 {
                integer(number / powerOfTen(places))
            } else {
                raw(decimalText(number, places: places))
            }
        case .awsDateTime:
            raw("\"")
            raw(DateTime(milliseconds: number).iso8601)
            raw("\"")
        default: integer(number)
        }
    }
}

extension FieldSchema {
    /// A single `AWSJSON`, which travels as a string.
    @usableFromInline
    var isAWSJSONText: Bool {
        if !isList, case .scalar(.awsJSON) = type { return true }
        return false
    }
}
