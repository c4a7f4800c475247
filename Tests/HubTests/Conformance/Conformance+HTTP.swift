/// §5: requests, statuses, validation, limits.
extension Conformance {
    private static func malformed(_ message: String) -> String {
        #"{"errors":[{"errorType":"MalformedHttpRequestException","message":"\#(message)"}]}"#
    }

    private static func unauthorized(_ message: String) -> String {
        #"{"errors":[{"errorType":"UnauthorizedException","message":"\#(message)"}]}"#
    }

    static let http: [Conversation] = [
        Conversation(
            "§5.1", "operations by name",
            [
                .post(
                    #"{"query":"query A { __typename } query B { listNotes { nextToken } }","operationName":"A"}"#, 200,
                    #"{"data":{"__typename":"Query"}}"#),
                .post(
                    #"{"query":"query A { __typename } query B { __typename }"}"#, 400,
                    malformed("Missing operation name.")),
                .post(
                    #"{"query":"query A { __typename } query B { __typename }","operationName":null}"#, 400,
                    malformed("Missing operation name.")),
                .post(
                    #"{"query":"query A { __typename }","operationName":"Z"}"#, 400,
                    malformed("Unknown operation named 'Z'.")),
                .post(
                    #"{"variables":null,"query":"{ __typename }","operationName":"","extensions":{"other":1}}"#, 200,
                    #"{"data":{"__typename":"Query"}}"#),
            ]),
        Conversation("§5.2 row 1", "an empty body", [.post("", 400, malformed("Request body is empty."))]),
        Conversation(
            "§5.2 row 2", "no GraphQL request, a batch among them",
            [
                "{", "{}", "[]", "null", "7", #""x""#, #"{"query":7}"#, #"{"query":null}"#, #"{"query":""}"#,
                #"{"query":"{"}"#, #"{"query":"type A { b: C }"}"#, #"{"query":"fragment F on Note { id }"}"#,
                #"[{"query":"{ __typename }"}]"#, #"{"query":"{ __typename }","variables":[]}"#,
                #"{"query":"{ __typename }","variables":"{}"}"#, #"{"query":"{ __typename }"} trailing"#,
            ].map { .post($0, 400, malformed("Unable to parse GraphQL query.")) }),
        Conversation(
            "§5.2 row 3", "no credentials",
            [
                .post(
                    #"{"query":"{ __typename }"}"#, 401, key: nil,
                    unauthorized("Valid authorization header not provided.")),
                .post(#"{"query":"{"}"#, 401, key: "", unauthorized("Valid authorization header not provided.")),
            ]),
        Conversation(
            "§5.2 row 4", "a key that opens nothing",
            [
                .post(
                    #"{"query":"{ __typename }"}"#, 401, key: "wrong",
                    unauthorized("You are not authorized to make this call."))
            ]),
        Conversation(
            "§5.2 row 6, §1.10", "a field that is denied, among others that are not",
            [
                .ask(
                    "{ listNotes { items { id } } __typename }", key: "counter",
                    #"""
                    {"data":{"listNotes":null,"__typename":"Query"},"errors":[{"path":["listNotes"],"data":null,
                     "errorType":"Unauthorized","errorInfo":null,
                     "locations":[{"line":1,"column":3,"sourceName":null}],
                     "message":"Not Authorized to access listNotes on type Query"}]}
                    """#),
                .ask(
                    "mutation {\n  a: createNote(input: {id: \"1\"}) { id }\n}", key: "counter",
                    #"""
                    {"data":{"a":null},"errors":[{"path":["a"],"data":null,"errorType":"Unauthorized","errorInfo":null,
                     "locations":[{"line":2,"column":3,"sourceName":null}],
                     "message":"Not Authorized to access createNote on type Mutation"}]}
                    """#),
            ]),
        Conversation(
            "§5.2 row 7", "what the API has not: status 200 and data null",
            [
                .ask(
                    "{ getNote(id: 1) { nope } }",
                    #"""
                    {"data":null,"errors":[{"path":null,"locations":[{"line":1,"column":20,"sourceName":null}],
                     "message":"Validation error of type FieldUndefined: Field 'nope' in type 'Note' is undefined @ 'getNote/nope'"}]}
                    """#)
            ]),
        Conversation(
            "§5.4", "a subscription by POST",
            [
                .ask(
                    "subscription { onCreateNote { id } }",
                    #"""
                    {"data":null,"errors":[{"path":null,"data":null,"errorType":"UnsupportedOperation","errorInfo":null,
                     "locations":null,"message":"Subscriptions are supported through the realtime channel only."}]}
                    """#)
            ]),
    ]

    private static func invalid(_ document: String, _ message: String) -> Conversation.Step {
        .ask(
            document,
            #"""
            {"data":null,"errors":[{"path":null,"locations":[{"line":1,"column":"*","sourceName":null}],
             "message":"Validation error of type \#(message)"}]}
            """#)
    }

    private static func wrong(_ variables: String, _ message: String) -> Conversation.Step {
        .ask(
            "mutation M($input: CreateNoteInput!) { createNote(input: $input) { id } }", variables,
            #"{"data":null,"errors":[{"path":null,"locations":null,"message":"\#(message)"}]}"#)
    }

    static let validation: [Conversation] = [
        Conversation(
            "§5.3", "documents",
            [
                invalid("{ nope }", "FieldUndefined: Field 'nope' in type 'Query' is undefined @ 'nope'"),
                invalid("{ getNote { id } }", "MissingFieldArgument: Missing field argument id @ 'getNote'"),
                invalid(
                    "{ getNote(id: 1, foo: 2) { id } }", "UnknownArgument: Unknown field argument foo @ 'getNote'"),
                invalid(
                    "{ getNote(id: 1) }",
                    "SubSelectionRequired: Sub selection required for type Note of field getNote @ 'getNote'"),
                invalid(
                    "query($x: Nope) { __typename }",
                    "UnknownType: Unknown type Nope\"},{\"path\":null,\"locations\":[\"*\"],\"message\":\"Validation error of type UnusedVariable: Unused variable x"
                ),
                invalid("{ __typename } fragment F on Note { id }", "UnusedFragment: Unused fragment F @ 'F'"),
                invalid(
                    "{ __typename ...F } fragment F on Query { __typename } fragment F on Query { __typename }",
                    "DuplicateFragmentName: There can be only one fragment named 'F' @ 'F'"),
                invalid(
                    "{ __typename @skip(if: true) @skip(if: false) }",
                    "DuplicateDirectiveName: Non repeatable directives must be uniquely named within a location. The directive 'skip' used on 'FIELD' is not unique @ '__typename'"
                ),
                invalid(
                    "query @skip(if: true) { __typename }",
                    "MisplacedDirective: Directive skip not allowed here"),
                invalid(
                    "{ __typename @deprecated }",
                    "MisplacedDirective: Directive deprecated not allowed here @ '__typename'"),
                invalid("{ __typename @nope }", "UnknownDirective: Unknown directive nope @ '__typename'"),
                invalid(
                    "query($t: String) { listNotes(filter: {id: {eq: $t}, nope: {eq: $t}}) { nextToken } }",
                    "VariableTypeMismatch: Variable type 'String' does not match expected type 'ID' @ 'listNotes'"),
                invalid(
                    "mutation($i: ID) { createReading(input: {device: $i, day: \\\"2026-01-01\\\"}) { device } }",
                    "VariableTypeMismatch: Variable type 'ID' does not match expected type 'ID!' @ 'createReading'"),
                invalid(
                    "mutation($i: ID!) { createReading(input: {device: $i, day: \\\"2026-01-01\\\"}) { device } }",
                    "WrongType: argument 'input' with value '{…}' is missing required fields '[number]' @ 'createReading'"
                ),
                invalid(
                    "{ listNotes(limit: true) { nextToken } }",
                    "WrongType: argument 'limit' with value 'true' is not a valid 'Int' - Variable 'limit' has an invalid value. Expected type 'Int' but was `true`. @ 'listNotes'"
                ),
            ].map(unescaped)),
        Conversation(
            "§5.3", "variables",
            [
                wrong("{}", "Variable 'input' has coerced Null value for NonNull type 'CreateNoteInput!'"),
                wrong(
                    #"{"input":{"foo":1}}"#,
                    "The variables input contains a field name 'foo' that is not defined for input object type 'CreateNoteInput' "
                ),
                wrong(
                    #"{"input":{"place":{"name":"x"}}}"#,
                    "Variable 'input' has an invalid value. Expected type 'PlaceInput' but was `{\\\"name\\\":\\\"x\\\"}`."
                ),
                wrong(
                    #"{"input":{"severity":2147483648}}"#,
                    "Variable 'input' has an invalid value. Expected type 'Int' but was `2147483648`."),
                wrong(
                    #"{"input":{"status":"AJAR"}}"#,
                    "Variable 'input' has an invalid value. Expected type 'Status' but was `\\\"AJAR\\\"`."),
                wrong(
                    #"{"input":{"day":"2026-02-30"}}"#,
                    "Variable 'input' has an invalid value. Unable to parse `\\\"2026-02-30\\\"` as a valid AWSDate."),
            ]),
        Conversation(
            "§1.3, §1.4", "times that the service fills in are in no input",
            [
                wrong(
                    #"{"input":{"createdAt":"2026-01-01T00:00:00.000Z"}}"#,
                    "The variables input contains a field name 'createdAt' that is not defined for input object type 'CreateNoteInput' "
                )
            ]),
        Conversation(
            "§5.4", "depth, and introspection that multiplies",
            [
                .ask(
                    "{ __type(name: \"Note\") { " + String(repeating: "ofType { ", count: 20) + "name "
                        + String(repeating: "} ", count: 20) + "} }",
                    #"{"data":null,"errors":[{"…":true,"errorType":"QueryDepthLimitReached","message":"*"}]}"#),
                .ask(
                    "{ __schema { types { fields { type { fields { name } } } } } }",
                    #"{"data":null,"errors":[{"…":true,"errorType":"BadFaithIntrospection","message":"*"}]}"#),
            ]),
    ]

    /// Documents above are written as they stand in JSON.
    private static func unescaped(_ step: Conversation.Step) -> Conversation.Step {
        guard case .ask(let document, let variables, let answer, let key, let person) = step else { return step }
        return .ask(
            document.replacing("\\\"", with: "\""), variables: variables, answer: answer, key: key, person: person)
    }
}
