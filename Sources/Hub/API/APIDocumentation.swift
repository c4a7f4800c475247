/// What introspection says of the parts of the API that no schema's text describes.
enum APIDocumentation {
    /// Where AppSync's scalars are specified.
    static let scalars = "https://docs.aws.amazon.com/appsync/latest/devguide/scalars.html"

    /// Descriptions by `Type` and `Type.field`.
    static let standard: [String: String] = [
        "ID": "A unique identifier; it is a text, whatever it looks like.",
        "String": "A text of Unicode characters.",
        "Int": "A signed integer of 32 bits.",
        "Float": "A double-precision number.",
        "Boolean": "`true` or `false`.",
        "AWSDate": "A date, `YYYY-MM-DD`, with or without an offset.",
        "AWSTime": "A time of day, `hh:mm:ss.sss`, with or without an offset.",
        "AWSDateTime": "A moment, `YYYY-MM-DDThh:mm:ss.sssZ`.",
        "AWSTimestamp": "A count since 1970-01-01T00:00Z; synchronisation counts milliseconds.",
        "AWSEmail": "An e-mail address.",
        "AWSJSON": "A text that holds JSON.",
        "AWSPhone": "A telephone number.",
        "AWSURL": "A URL with its scheme.",
        "AWSIPAddress": "An address of IP version 4 or 6, with or without a prefix length.",
        "__Schema": "What this API offers: its types, its roots and its directives.",
        "__Type": "A type: what kind it is says which of its fields are null.",
        "__Field": "A field of an object type, with its arguments.",
        "__InputValue": "An argument, or a field of an input type.",
        "__EnumValue": "One of the values of an enum.",
        "__Directive": "A directive, and where it may stand.",
        "__TypeKind": "The kinds of types.",
        "__DirectiveLocation": "The places where a directive may stand.",
    ]
}

/// A directive that documents for this API may use, or that its types carry.
struct APIDirective: Sendable {
    let name: String
    let description: String
    let locations: [String]
    let arguments: [APIArgument]

    /// The directives of the specification.
    static let all = [
        APIDirective(
            name: "include", description: "Leaves the field or fragment out unless the condition is true.",
            locations: ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
            arguments: [APIArgument("if", .nonNull(.named("Boolean")))]),
        APIDirective(
            name: "skip", description: "Leaves the field or fragment out when the condition is true.",
            locations: ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
            arguments: [APIArgument("if", .nonNull(.named("Boolean")))]),
        APIDirective(
            name: "deprecated", description: "Marks what should not be used any more.",
            locations: ["FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INPUT_FIELD_DEFINITION", "ENUM_VALUE"],
            arguments: [APIArgument("reason", .named("String"), defaultValue: "\"No longer supported\"")]),
        APIDirective(
            name: "specifiedBy", description: "Says where a scalar is specified.", locations: ["SCALAR"],
            arguments: [APIArgument("url", .nonNull(.named("String")))]),
    ]
}
