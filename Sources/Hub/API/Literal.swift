import Basics
import GraphQL

/// Values written in a document, as JSON.
struct Literal {
    let schema: HubSchema
    /// The operation's variables, already checked; a variable that is not there has no value.
    var variables: [String: JSONValue] = [:]

    /// The JSON of a value written where `type` belongs; nil for a variable without a value.
    ///
    /// - Throws: ``InputError`` where the notation is of another type: a string for an enum, a name for a string.
    func value(_ node: ValueNode, _ type: TypeShape) throws(InputError) -> JSONValue? {
        switch node.kind {
        case .variable(let name): return variables[name]
        case .null:
            guard !type.isNonNull else { throw InputError("null is not allowed for type '\(type)'") }
            return .null
        case .list(let elements):
            guard case .list(let element) = type.nullable else { throw wrong(node, type) }
            var result: [JSONValue] = []
            for node in elements { result.append(try value(node, element) ?? .null) }
            return .array(result)
        case .object(let members):
            guard let input = schema.input(type.nullable.innermostIfList.name) else { throw wrong(node, type) }
            var object = JSONObject()
            var names: Set<String> = []
            for member in members {
                guard let field = input.field(member.name) else { throw Coercion.unknownField(member.name, input.name) }
                guard names.insert(member.name).inserted else {
                    throw InputError("There can be only one field named '\(member.name)'")
                }
                if let json = try value(member.value, field.type) {
                    object.members.append((key: member.name, value: json))
                }
            }
            return .object(object)
        case .enumeration(let name):
            guard case .enumeration? = schema.types[type.name] else { throw wrong(node, type) }
            return .string(name)
        case .string(let text):
            if case .enumeration? = schema.types[type.name] { throw wrong(node, type) }
            return .string(text)
        case .boolean(let flag): return .bool(flag)
        case .int(let digits): return Int64(digits).map { .integer($0) } ?? .number(digits)
        case .float(let digits): return .number(digits)
        }
    }

    private func wrong(_ node: ValueNode, _ type: TypeShape) -> InputError {
        InputError("a value of another kind stands where '\(type)' belongs")
    }
}

extension TypeShape {
    /// A list's element type: one object may stand for a list of it.
    fileprivate var innermostIfList: TypeShape {
        if case .list(let element) = self { return element.nullable.innermostIfList }
        return self
    }
}

extension ValueNode {
    /// What looking at it costs: a unit for each value within, and one for each so many bytes of text.
    var weight: Int {
        switch kind {
        case .list(let elements): elements.reduce(1) { $0 + $1.weight }
        case .object(let members): members.reduce(1) { $0 + $1.value.weight }
        case .string(let text), .int(let text), .float(let text): 1 + text.utf8.count / Validator.textShare
        case .variable, .boolean, .null, .enumeration: 1
        }
    }

    /// The variables it names.
    var variableNames: [(name: String, position: SourcePosition)] {
        switch kind {
        case .variable(let name): [(name, position)]
        case .list(let elements): elements.flatMap(\.variableNames)
        case .object(let members): members.flatMap(\.value.variableNames)
        default: []
        }
    }
}
