import AppSync
import Basics
import GraphQL

extension HubEngine {
    /// Reads a request's body, finds its operation, and checks its variables.
    ///
    /// - Parameter id: names it in the log.
    func runnable(
        _ body: [UInt8], _ rights: CallerRights, id: String? = nil
    ) -> Result<RunnableRequest, RequestFailure> {
        guard !body.isEmpty else { return .failure(.malformed("Request body is empty.")) }
        guard let json = try? JSONValue(parsing: body), case .object(let object) = json,
            let text = object["query"]?.string
        else { return .failure(.malformed("Unable to parse GraphQL query.")) }
        let document: PreparedDocument
        switch prepare(text) {
        case .failure(let failure): return .failure(failure)
        case .success(let prepared): document = prepared
        }
        guard let operation = document.operation(named: object["operationName"]?.string) else {
            let name = object["operationName"]?.string ?? ""
            return .failure(
                .malformed(name.isEmpty ? "Missing operation name." : "Unknown operation named '\(name.prefix(80))'."))
        }
        let variables: JSONObject
        switch object["variables"] {
        case nil, .null?: variables = JSONObject()
        case .object(let given)?: variables = given
        default: return .failure(.malformed("Unable to parse GraphQL query."))
        }
        do throws(InputError) {
            let ids = mutationIDs(object)
            let checked = try Variables(variables, operation, schema, isBatch: operation.isBatch(under: ids))
            return .success(
                RunnableRequest(
                    rights: rights, document: document, operation: operation, given: variables, variables: checked,
                    mutationIDs: ids,
                    units: try units(object), digests: try digests(object),
                    operations: try objects("operations", object),
                    bases: try objects("bases", object), needs: try needs(object),
                    epoch: object["extensions"]?["bincount"]?["epoch"]?.string,
                    asksLeft: object["extensions"]?["bincount"]?[WireExtension.left]?.bool ?? false,
                    id: id))
        } catch {
            return .failure(.invalid([ResponseError(error.message)]))
        }
    }

    private func mutationIDs(_ request: JSONObject) -> [String: String] {
        guard case .object(let ids)? = request["extensions"]?["bincount"]?["mutationIds"] else { return [:] }
        var result: [String: String] = [:]
        for (alias, id) in ids.members {
            if let text = id.string, !text.isEmpty, text.utf8.count <= 100 { result[alias] = text }
        }
        return result
    }

    /// Reads `extensions.bincount.atomic`. What cannot be read is refused: half of it would not be what was asked for.
    private func units(_ request: JSONObject) throws(InputError) -> [String: Int] {
        guard let given = request["extensions"]?["bincount"]?["atomic"], !given.isNull else { return [:] }
        var result: [String: Int] = [:]
        for (unit, aliases) in (given.array ?? [.null]).enumerated() {
            for alias in aliases.array ?? [.null] {
                guard let name = alias.string, result.updateValue(unit, forKey: name) == nil else {
                    throw InputError("extensions.bincount.atomic takes lists of aliases, each alias once")
                }
            }
        }
        return result
    }

    /// Reads `extensions.bincount.digest`.
    private func digests(_ request: JSONObject) throws(InputError) -> [String: DigestRequest] {
        guard let given = request["extensions"]?["bincount"]?["digest"], !given.isNull else { return [:] }
        var result: [String: DigestRequest] = [:]
        for (name, json) in given.object?.members ?? [(key: "", value: .null)] {
            guard let digest = DigestRequest(json: json) else {
                throw InputError("extensions.bincount.digest takes bits with sums or buckets, by field")
            }
            result[name] = digest
        }
        return result
    }

    /// Reads `extensions.bincount.operations` or `bases`: by alias, something by field.
    private func objects(_ name: String, _ request: JSONObject) throws(InputError) -> [String: JSONObject] {
        guard let given = request["extensions"]?["bincount"]?[name], !given.isNull else { return [:] }
        var result: [String: JSONObject] = [:]
        for (alias, fields) in given.object?.members ?? [(key: "", value: .null)] {
            guard let object = fields.object else {
                throw InputError("extensions.bincount.\(name) takes objects of \(name) by field, by alias")
            }
            result[alias] = object
        }
        return result
    }

    private static let malformedNeeds = InputError("extensions.bincount.needs takes lists of aliases by alias")

    /// Reads `extensions.bincount.needs`.
    private func needs(_ request: JSONObject) throws(InputError) -> [String: [String]] {
        guard let given = request["extensions"]?["bincount"]?["needs"], !given.isNull else { return [:] }
        var result: [String: [String]] = [:]
        for (alias, json) in given.object?.members ?? [(key: "", value: .null)] {
            guard let list = json.array else { throw Self.malformedNeeds }
            guard list.count <= HubCore.batchLimit else {
                throw InputError("extensions.bincount.needs takes at most \(HubCore.batchLimit) aliases by alias")
            }
            let names = list.compactMap(\.string)
            guard names.count == list.count else { throw Self.malformedNeeds }
            result[alias] = names
        }
        return result
    }

    /// An argument of a selected field, with variables put in; nil where it is left out or null.
    func argument(_ name: String, of field: SelectedField, _ variables: Variables) throws(InputError) -> JSONValue? {
        guard let argument = field.arguments.first(where: { $0.name == name }),
            let definition = field.definition.argument(name)
        else { return nil }
        if case .variable(let variable) = argument.value.kind {
            guard let value = variables.json[variable], !value.isNull else { return nil }
            return value
        }
        guard let json = try Literal(schema: schema, variables: variables.json).value(argument.value, definition.type),
            !json.isNull
        else { return nil }
        return try Coercion(schema: schema, name: name).value(json, definition.type)
    }

    /// The `input` of a mutation in storage form.
    func mutationInput(of field: SelectedField, _ variables: Variables) throws(InputError) -> MutationInput {
        guard let argument = field.arguments.first(where: { $0.name == "input" }),
            let definition = field.definition.argument("input")
        else { throw InputError("Missing field argument input") }
        if case .variable(let variable) = argument.value.kind {
            if let failure = variables.failures[variable] { throw failure }
            if let input = variables.inputs[variable] { return input }
            throw InputError("Variable '\(variable)' has coerced Null value for NonNull type '\(definition.type)'")
        }
        guard let json = try Literal(schema: schema, variables: variables.json).value(argument.value, definition.type),
            let object = schema.input(definition.type.name)
        else { throw InputError("Variable 'input' has coerced Null value for NonNull type '\(definition.type)'") }
        return try Coercion(schema: schema, name: "input").mutationInput(json, object.role, object.name)
    }

    /// A model's filter or condition, in the argument of that name.
    ///
    /// - Parameter most: comparisons that it may have; nil for those of a filter.
    func filter(
        _ name: String, of field: SelectedField, _ model: ModelInfo, _ variables: Variables, atMost most: Int? = nil
    ) throws(InputError) -> RowFilter {
        let filter = try RowFilter(try argument(name, of: field, variables), for: model.schema)
        let most = most ?? limits.filterParts
        guard filter.parts <= most else { throw InputError("The \(name) has more than \(most) comparisons") }
        return filter
    }
}
