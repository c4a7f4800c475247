import Basics
import Models

/// Values as one JSON array, for `json_each`.
func jsonList(_ values: [Value]) -> String {
    JSONValue.array(
        values.map { value in
            switch value {
            case .null: .null
            case .integer(let value): .integer(value)
            case .real(let value): .number("\(value)")
            case .text(let text): .string(text)
            }
        }
    ).text
}
