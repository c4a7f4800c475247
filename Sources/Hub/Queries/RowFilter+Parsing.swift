import Basics
import Models

extension RowFilter {
    /// Reads a filter's coerced JSON; the input type has been checked, so what is left to refuse is little.
    ///
    /// - Throws: ``InputError`` where an operand is no value of the field.
    init(_ json: JSONValue?, for model: ModelSchema) throws(InputError) {
        guard let object = json?.object else {
            self = .all
            return
        }
        var parts: [RowFilter] = []
        for (key, value) in object.members where !value.isNull {
            // A field's own name comes first: a model may have a field called `not`.
            if let position = model.position(of: key), value.object != nil {
                for test in try Self.tests(value, model.fields[position], model) {
                    parts.append(.field(position, test))
                }
                continue
            }
            switch key {
            case "and", "or":
                var inner: [RowFilter] = []
                for element in value.array ?? [value] where !element.isNull {
                    inner.append(try RowFilter(element, for: model))
                }
                guard !inner.isEmpty else { continue }
                parts.append(key == "and" ? .and(inner) : .or(inner))
            case "not": parts.append(.not(try RowFilter(value, for: model)))
            case "_deleted":
                let field = FieldSchema("_deleted", .scalar(.boolean))
                for test in try Self.tests(value, field, model) { parts.append(.deleted(Self.missingIsFalse(test))) }
            default: throw InputError("The variables input contains a field name '\(key)'")
            }
        }
        self = parts.isEmpty ? .all : (parts.count == 1 ? parts[0] : .and(parts))
    }

    /// A live record has no `_deleted`, which filters written by people call false.
    private static func missingIsFalse(_ test: RowTest) -> RowTest {
        switch test {
        case .equal(.integer(0)): .equal(.null)
        case .notEqual(.integer(0)): .notEqual(.null)
        default: test
        }
    }

    private static func tests(
        _ json: JSONValue, _ field: FieldSchema, _ model: ModelSchema
    ) throws(InputError) -> [RowTest] {
        var tests: [RowTest] = []
        for (name, operand) in json.object?.members ?? [] {
            switch name {
            case "eq": tests.append(.equal(try value(operand, field, model)))
            case "ne": tests.append(.notEqual(try value(operand, field, model)))
            case "lt": tests.append(.less(try value(operand, field, model)))
            case "le": tests.append(.lessOrEqual(try value(operand, field, model)))
            case "gt": tests.append(.greater(try value(operand, field, model)))
            case "ge": tests.append(.greaterOrEqual(try value(operand, field, model)))
            case "between":
                guard !operand.isNull else { continue }
                guard let bounds = operand.array, bounds.count == 2 else {
                    throw InputError("between takes two values, on field \(field.name)")
                }
                tests.append(.between(try value(bounds[0], field, model), try value(bounds[1], field, model)))
            case "contains": tests.append(.contains(try element(operand, field, model)))
            case "notContains": tests.append(.notContains(try element(operand, field, model)))
            case "beginsWith": tests.append(operand.string.map { .beginsWith($0) } ?? .constant(operand.isNull))
            case "in", "notIn":
                guard let operands = operand.array else { continue }
                var values: [Value] = []
                for operand in operands { values.append(try value(operand, field, model)) }
                tests.append(name == "in" ? .isIn(values) : .notIn(values))
            case "attributeExists":
                if let flag = operand.bool { tests.append(.exists(flag)) }
            case "attributeType":
                if let type = operand.string { tests.append(.attributeType(type)) }
            case "size":
                let size = FieldSchema("size", .scalar(.int))
                tests.append(.size(try Self.tests(operand, size, model)))
            default: throw InputError("The variables input contains a field name '\(name)'")
            }
        }
        return tests
    }

    /// An operand in the storage form of the field.
    private static func value(
        _ json: JSONValue, _ field: FieldSchema, _ model: ModelSchema
    ) throws(InputError) -> Value {
        if json.isNull { return .null }
        if field.isList, case .array = json { return .text(json.text) }
        return try element(json, field, model)
    }

    private static func element(
        _ json: JSONValue, _ field: FieldSchema, _ model: ModelSchema
    ) throws(InputError) -> Value {
        if json.isNull { return .null }
        switch field.type {
        case .scalar(.decimal(let places)):
            if let value = ScalarType.decimal(places: places).storageValue(of: json) { return value }
            // More places than the field has: nothing equals it, but order still means something.
            if let number = json.double { return .real(number * Double(powerOfTen(places))) }
        case .scalar(.awsDateTime):
            if let value = ScalarType.awsDateTime.storageValue(of: json) { return value }
            // A part of the text, which all operators compare with the text.
            if let text = json.string { return .text(text) }
        case .scalar(.float), .scalar(.int), .scalar(.awsTimestamp):
            if let number = json.integer { return .integer(number) }
            if let number = json.double { return .real(number) }
        case .scalar(.boolean):
            if let flag = json.bool { return .integer(flag ? 1 : 0) }
        default:
            if let text = json.string { return .text(text) }
            if let number = json.integer { return .text(String(number)) }
        }
        throw InputError("\(json.text.prefix(80)) is no operand for field \(field.name) of \(model.name)")
    }
}

/// An argument or variable that its type does not take; the message is the protocol's.
struct InputError: Error, Hashable {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
