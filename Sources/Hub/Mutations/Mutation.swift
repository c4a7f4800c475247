import AppSync
import Basics
import Models

/// A mutation on its way: what it is, who sends it, where its answer goes.
struct Mutation {
    let root: RootField
    let model: ModelInfo
    let field: SelectedField
    let rights: CallerRights
    let input: MutationInput
    let condition: RowFilter
    let hasCondition: Bool
    /// Names its request in the log.
    let request: String?
    /// The condition as it was given.
    var conditionJSON: JSONValue?
    /// The mutation id.
    var id: String?
    /// What functions have decided of it so far.
    var decided: FieldDecisions?
    /// What it does to fields whatever they hold.
    var operations: [FieldChange] = []
    /// What fields of its input were to its author before he changed them, by position, in wire form.
    var bases: [Int: JSONValue] = [:]
    /// What the function before it has put into its input.
    var changes: [(position: Int, value: Value)] = []
    /// The id that the service makes where a create leaves it out.
    var madeID: String?
    /// Whether it was made over another version than the one it came upon.
    var isMerged = false

    /// The input with what the function before it has changed.
    var effectiveInput: [Value?] {
        guard !changes.isEmpty || madeID != nil else { return input.values }
        var values = input.values
        if let madeID { values[model.keyPositions[0]] = .text(madeID) }
        for change in changes { values[change.position] = change.value }
        return values
    }

    /// An error at the mutation's field.
    func error(_ message: String, _ type: String?, data: JSONValue? = nil) -> ResponseError {
        ResponseError(message, errorType: type, path: [.field(field.key)], locations: [field.location], data: data)
    }

    var unauthorized: ResponseError {
        error("Not Authorized to access \(root.name) on type Mutation", ErrorType.unauthorized)
    }

    var conditionFailed: ResponseError {
        error(
            "The conditional request failed (Service: DynamoDb, Status Code: 400, Request ID: 00000000)",
            ErrorType.conditionalCheckFailed)
    }

    /// The rights it needs, for the model and for the fields it names.
    var needed: [Access] {
        if rights.caller.isDenied(root) { return [.none] }
        var written = input.values
        for change in operations { written[change.position] = .null }
        return rights.needed(model, root.operation, writing: written)
    }

    /// A field's rights were refused.
    func unauthorized(field name: String) -> ResponseError {
        error("Not Authorized to access \(name) on type \(model.schema.name)", ErrorType.unauthorized)
    }
}
