/// Amplify's directives that a model schema does not need, and those that ask for what is not here.
extension DirectiveSpecification {
    /// Read and exported as written; each with what it comes to here, which is said as a remark.
    static let ignored: [String: DirectiveSpecification] = {
        var result: [String: DirectiveSpecification] = [
            "mapsTo": .init(
                place: .model, arguments: ["name": .string], required: ["name"],
                remark: "names a table in DynamoDB, and nothing here"),
            "refersTo": .init(
                place: .modelOrField, arguments: ["name": .string], required: ["name"],
                remark: "names something in a database of Amplify's, and nothing here"),
            "searchable": .init(
                place: .model, arguments: ["queries": .object],
                remark: "makes no search here: a list's filter finds records, and an @index finds them fast"),
            "aws_subscribe": .init(
                place: .field, arguments: ["mutations": .strings],
                remark: "means nothing here: each model has its subscriptions"),
        ]
        for name in ["aws_api_key", "aws_iam", "aws_oidc", "aws_lambda"] {
            result[name] = .init(place: .modelOrField, arguments: [:], remark: access)
        }
        for name in ["aws_auth", "aws_cognito_user_pools"] {
            result[name] = .init(place: .modelOrField, arguments: ["cognito_groups": .strings], remark: access)
        }
        return result
    }()

    private static let access = "lets nobody in here: @auth alone says who may do what"

    /// Refused by name: read over, they would leave out what somebody counts on. Each with what to do instead.
    static let refused: [String: String] = [
        "validate": "nothing here checks values so; a function before the mutation can (bincount hub --before)",
        "function": "fields that call a function are not here; functions stand before and after a model's mutations "
            + "(bincount hub --before, --after)",
        "http": "the hub asks no other server for a field; let the app ask it",
        "predictions": "the hub has no such services; let the app ask them",
        "sql": "the hub has no SQL of yours; let the app ask that database",
        "key": "it is of Amplify's first transformer; write @primaryKey or @index",
        "connection": "it is of Amplify's first transformer; write @hasOne, @hasMany or @belongsTo",
        "versioned":
            "it is of Amplify's first transformer; every model here has versions, and @conflict says what they do",
    ]
}
