import Basics
import Models

/// Checks values from outside against the API's types, with AppSync's texts (`appsync-protocol.md` §5.3).
struct Coercion {
    let schema: HubSchema
    /// The variable or argument that is being read, for messages.
    let name: String
    /// Whether the value stands in the document itself, where only what is written as an integer is one.
    var isLiteral = false

    /// A value as its type has it: unknown fields refused, single values wrapped where a list is wanted.
    func value(_ json: JSONValue?, _ type: TypeShape) throws(InputError) -> JSONValue {
        switch type {
        case .nonNull(let inner):
            guard let json, !json.isNull else { throw nullError(type) }
            return try value(json, inner)
        case .list(let element):
            guard let json, !json.isNull else { return .null }
            guard case .array(let elements) = json else { return .array([try value(json, element)]) }
            var result: [JSONValue] = []
            result.reserveCapacity(elements.count)
            for item in elements { result.append(try value(item, element)) }
            return .array(result)
        case .named(let typeName):
            guard let json, !json.isNull else { return .null }
            return try named(json, typeName)
        }
    }

    func nullError(_ type: TypeShape) -> InputError {
        InputError("Variable '\(name)' has coerced Null value for NonNull type '\(type)'")
    }

    private func named(_ json: JSONValue, _ typeName: String) throws(InputError) -> JSONValue {
        switch schema.types[typeName] {
        case .scalar?:
            guard let scalar = HubSchema.scalar(typeName) else { throw invalid(json, typeName) }
            let json = !isLiteral && [.int, .awsTimestamp].contains(scalar) ? Self.whole(json) : json
            guard scalar.storageValue(of: json) != nil else { throw invalid(json, typeName) }
            // An ID given as a number is text from here on.
            if scalar == .id, case .integer(let number) = json { return .string(String(number)) }
            return json
        case .enumeration(_, let cases)?:
            guard let text = json.string, cases.containsBytes(of: text) else { throw invalid(json, typeName) }
            return json
        case .input(let input)?:
            guard case .object(let object) = json else { throw invalid(json, typeName) }
            var members: [(key: String, value: JSONValue)] = []
            members.reserveCapacity(object.count)
            for (key, value) in object.members {
                guard let field = input.field(key) else { throw Self.unknownField(key, typeName) }
                members.append((key: key, value: try self.value(value, field.type)))
            }
            for field in input.fields where field.type.isNonNull && object[field.name] == nil {
                throw nullError(field.type)
            }
            return .object(JSONObject(members))
        case .object?, nil: throw invalid(json, typeName)
        }
    }

    /// In a variable `1.0` is the integer 1 (GraphQL, October 2021, §3.5.1), as Python and Java write some.
    private static func whole(_ json: JSONValue) -> JSONValue {
        guard case .number(let text) = json, let number = Double(text).flatMap({ Int64(exactly: $0) }) else {
            return json
        }
        return .integer(number)
    }

    static func unknownField(_ key: String, _ typeName: String) -> InputError {
        // The trailing blank is AppSync's; clients look for the text before it.
        InputError(
            "The variables input contains a field name '\(key)' that is not defined for input object type '\(typeName)' "
        )
    }

    func invalid(_ json: JSONValue, _ typeName: String) -> InputError {
        if typeName.hasPrefix("AWS") {
            return InputError(
                "Variable '\(name)' has an invalid value. Unable to parse `\(json.text.prefix(80))` as a valid "
                    + "\(typeName).")
        }
        return InputError(
            "Variable '\(name)' has an invalid value. Expected type '\(typeName)' but was `\(json.text.prefix(80))`.")
    }
}

extension HubSchema {
    /// A scalar of the API by name.
    static func scalar(_ name: String) -> ScalarType? {
        switch name {
        case "ID": .id
        case "String": .string
        case "Int": .int
        case "Float": .float
        case "Boolean": .boolean
        case "AWSDate": .awsDate
        case "AWSTime": .awsTime
        case "AWSDateTime": .awsDateTime
        case "AWSTimestamp": .awsTimestamp
        case "AWSEmail": .awsEmail
        case "AWSJSON": .awsJSON
        case "AWSPhone": .awsPhone
        case "AWSURL": .awsURL
        case "AWSIPAddress": .awsIPAddress
        default: nil
        }
    }
}
