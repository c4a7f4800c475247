import Basics
import Models

extension SchemaBuilder {
    private static let scalars: [String: ScalarType] = Dictionary(
        uniqueKeysWithValues: [
            .id, .string, .int, .float, .boolean, .awsDate, .awsTime, .awsDateTime, .awsTimestamp, .awsEmail, .awsJSON,
            .awsPhone, .awsURL, .awsIPAddress,
        ].map { (scalar: ScalarType) in (scalar.graphQLName, scalar) })

    mutating func checkFieldName(_ field: FieldDefinition, _ names: inout FieldNames, of type: TypeDefinition) {
        checkName(field.name, field.position, "field")
        if !names.exact.insert(field.name).inserted {
            mistake(field.position, "type \(type.name) has the field \(field.name) twice")
        } else if let other = names.lowered.updateValue(field.name, forKey: field.name.lowercased()) {
            mistake(field.position, "field \(field.name) differs from \(other) only in upper and lower case")
        }
        if let argument = field.arguments.first { mistake(argument.position, "a field takes no arguments here") }
    }

    /// A model's own fields; relations are resolved later.
    mutating func modelDraft(_ type: TypeDefinition) -> ModelDraft {
        check(type.directives, at: .model)
        if type.fields.isEmpty { mistake(type.namePosition, "model \(type.name) has no fields") }
        var draft = ModelDraft(definition: type)
        var names = FieldNames()
        for field in type.fields {
            checkFieldName(field, &names, of: type)
            check(field.directives, at: .field)
            let relation = field.directives.first { DirectiveSpecification.relations.contains($0.name) }
            if let other = types[field.type.name], isModel(other) {
                if relation == nil {
                    mistake(
                        field.type.position,
                        "\(other.name) is a model: field \(field.name) needs @belongsTo, @hasOne or @hasMany")
                }
                continue
            }
            if let relation {
                mistake(relation.position, "@\(relation.name) needs a model, and \(field.type.name) is none")
            }
            if let schema = storedField(field), draft.field(field.name) == nil { draft.fields.append(schema) }
        }
        if let id = draft.fields.firstIndex(where: { $0.name == "id" }) {
            draft.fields.insert(draft.fields.remove(at: id), at: 0)
        }
        addTimestamps(&draft)
        draft.operations = operationNames(type)
        return draft
    }

    /// Implicit `createdAt` and `updatedAt`, renamed or left out as `@model(timestamps:)` says.
    private mutating func addTimestamps(_ draft: inout ModelDraft) {
        var names: [(argument: String, field: String?)] = [("createdAt", "createdAt"), ("updatedAt", "updatedAt")]
        let timestamps = draft.definition.directive("model")?["timestamps"]
        if timestamps?.kind == .null {
            draft.timestamps = TimestampNames(createdAt: nil, updatedAt: nil)
            return
        }
        for member in timestamps?.object ?? [] {
            guard let index = names.firstIndex(where: { $0.argument == member.name }) else {
                mistake(member.position, "timestamps has createdAt and updatedAt only")
                continue
            }
            switch member.value.kind {
            case .string(let name):
                names[index].field = name
                if !name.isGraphQLName || name.hasPrefix("_") || name.hasPrefix("AWS") {
                    mistake(member.value.position, "timestamps: \"\(name)\" cannot be a field's name")
                }
            case .null: names[index].field = nil
            default: mistake(member.value.position, "a timestamp's name is a string or null")
            }
        }
        draft.timestamps = TimestampNames(createdAt: names[0].field, updatedAt: names[1].field)
        for case (_, let name?) in names where draft.field(name) == nil {
            draft.readOnly.append(FieldSchema(name, .scalar(.awsDateTime), isReadOnly: true))
        }
    }

    /// The stored form of a scalar, enum or embedded field; nil after a mistake.
    mutating func storedField(_ field: FieldDefinition) -> FieldSchema? {
        var type = field.type
        var isRequired = false
        var isList = false
        var isElementRequired = false
        if case .nonNull(let inner) = type {
            isRequired = true
            type = inner
        }
        if case .list(let element, _) = type {
            isList = true
            type = element
            if case .nonNull(let inner) = type {
                isElementRequired = true
                type = inner
            }
        }
        guard case .named(let name, let position) = type else {
            mistake(field.type.position, "field \(field.name): a list of lists is not possible")
            return nil
        }
        guard var fieldType = fieldType(name) else {
            mistake(position, "unknown type \(name)")
            return nil
        }
        if let directive = field.directive("decimal") {
            guard fieldType == .scalar(.float) else {
                mistake(directive.position, "@decimal needs a Float, and \(field.name) is \(name)")
                return nil
            }
            let places = directive["places"]?.int
            if let places, places != 3, places != 4 {
                mistake(
                    directive["places"]?.position ?? directive.position, "@decimal has 3 or 4 places, not \(places)")
            }
            fieldType = .scalar(.decimal(places: places == 4 ? 4 : 3))
        }
        var defaultText: String?
        if let directive = field.directive("default"), let value = directive["value"]?.string {
            if isList {
                mistake(directive.position, "@default is not possible on a list")
            } else if !isValid(default: value, of: fieldType) {
                mistake(directive.position, "\"\(value)\" is no \(name), as @default of \(field.name) needs")
            } else {
                defaultText = value
            }
        }
        return FieldSchema(
            field.name, fieldType, isRequired: isRequired, isList: isList, isElementRequired: isElementRequired,
            defaultValue: defaultText, merge: merge(field, fieldType, isList: isList))
    }

    /// `@counter` on a number that adds up exactly, `@set` on a list of scalars or enums.
    private mutating func merge(_ field: FieldDefinition, _ type: FieldType, isList: Bool) -> FieldMerge? {
        if let directive = field.directive("counter") {
            switch type {
            case .scalar(.int), .scalar(.awsTimestamp), .scalar(.decimal):
                if !isList, field.directive("set") == nil { return .counter }
            default: break
            }
            mistake(directive.position, "@counter needs an Int or a Float @decimal, which \(field.name) is not")
        } else if let directive = field.directive("set") {
            if isList {
                if case .embedded = type {} else { return .set }
            }
            mistake(directive.position, "@set needs a list of scalars or enums, which \(field.name) is not")
        }
        return nil
    }

    private func fieldType(_ name: String) -> FieldType? {
        if let scalar = Self.scalars[name] { return .scalar(scalar) }
        switch types[name]?.kind {
        case .enumeration: return .enumeration(name)
        case .object: return .embedded(name)
        default: return nil
        }
    }

    private func isValid(default text: String, of type: FieldType) -> Bool {
        switch type {
        case .embedded: return false
        case .enumeration(let name):
            guard case .enumeration(let values) = types[name]?.kind else { return false }
            return values.contains { $0.name == text }
        case .scalar(let scalar):
            switch scalar {
            case .int, .awsTimestamp, .float, .decimal, .boolean:
                // As it stands: blanks around it are none of JSON's here.
                guard let json = try? JSONValue(parsing: text), text.utf8.allSatisfy({ $0 > 32 }) else { return false }
                return scalar.storageValue(of: json) != nil
            default: return scalar.storageValue(of: .string(text)) != nil
            }
        }
    }
}
