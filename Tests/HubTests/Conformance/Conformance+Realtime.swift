import AppSync

/// §4 and §7: the realtime protocol, frame by frame.
extension Conformance {
    private static let acknowledged = [
        #"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#, #"{"type":"ka"}"#,
    ]
    private static let start = #"{"type":"connection_init","payload":{}}"#

    private static func greeted(_ id: UInt64 = 1) -> [Conversation.Step] {
        [.open(id), .frame(id, start, answers: acknowledged)]
    }

    private static func refused(_ id: String?, _ error: String) -> String {
        let member = id.map { #""id":"\#($0)","# } ?? ""
        return #"{\#(member)"type":"error","payload":{"errors":[\#(error)]}}"#
    }

    private static func connectionError(_ error: String) -> String {
        #"{"type":"connection_error","payload":{"errors":[\#(error)]}}"#
    }

    private static let onCreate = "subscription { onCreateNote { id title } }"
    private static let filtered =
        "subscription S($f: ModelSubscriptionNoteFilterInput) { onCreateNote(filter: $f) { id } }"

    private static func create(_ fields: String) -> Conversation.Step {
        .ask("mutation { createNote(input: {\(fields)}) { id } }", #"{"data":{"createNote":{"id":"*"}}}"#)
    }

    static let realtime: [Conversation] = [
        Conversation(
            "§4.3", "nothing is heard before connection_init; then the ack with its number, and ka",
            [
                .open(1), .start(1, "early", onCreate, []), .frame(1, #"{"id":"x","type":"stop"}"#, answers: []),
                .frame(1, #"{"type":"connection_init"}"#, answers: acknowledged),
            ]),
        Conversation(
            "§4.3, §4.4", "who is not let in hears why, and then the end",
            [
                .open(1, key: "wrong"),
                .frame(
                    1, start,
                    answers: [
                        connectionError(
                            #"{"errorType":"UnauthorizedException","message":"You are not authorized to make this call.","errorCode":400}"#
                        )
                    ]), .closed(1, 1008),
                .open(2, .object(RealtimeAuthorization()), .appSync),
                .frame(
                    2, start,
                    answers: [connectionError(#"{"message":"Required headers are missing.","errorCode":400}"#)]),
                .closed(2, 1008), .open(3, .noProtocol, .appSync),
                .frame(3, start, answers: [connectionError(#"{"message":"NoProtocolError","errorCode":400}"#)]),
                .open(4, .malformed, .appSync),
                .frame(
                    4, start, answers: [connectionError(#"{"errorType":"BadRequest","message":"*","errorCode":400}"#)]),
            ]),
        Conversation(
            "§4.3", "start_ack before data; stop is answered by complete, an unknown id too",
            greeted() + [
                .start(1, "a", onCreate, [#"{"id":"a","type":"start_ack"}"#]), create("id: \"1\", title: \"t\""),
                .heard(1, [#"{"id":"a","type":"data","payload":{"data":{"onCreateNote":{"id":"1","title":"t"}}}}"#]),
                .frame(1, #"{"id":"a","type":"stop"}"#, answers: [#"{"id":"a","type":"complete"}"#]),
                .frame(1, #"{"id":"zz","type":"stop"}"#, answers: [#"{"id":"zz","type":"complete"}"#]),
                create("id: \"2\""), .heard(1, []),
            ]),
        Conversation(
            "§4.3, §4.4", "what is refused of its id, or of none; the others go on",
            greeted() + [
                .start(
                    1, "a", "{ listNotes { nextToken } }",
                    [
                        refused(
                            "a",
                            #"{"errorType":"UnsupportedOperation","message":"query and mutations are not supported through the realtime channel"}"#
                        )
                    ]),
                .start(
                    1, "b", "subscription { onCreateNote { nope } }",
                    [
                        refused(
                            "b",
                            #"{"message":"Validation error of type FieldUndefined: Field 'nope' in type 'Note' is undefined @ 'onCreateNote/nope'"}"#
                        )
                    ]),
                .start(
                    1, "c", onCreate, key: "wrong",
                    [refused("c", #"{"errorType":"UnauthorizedException","message":"*","errorCode":401}"#)]),
                .start(
                    1, "d", onCreate, key: "counter",
                    [
                        refused(
                            "d",
                            #"{"errorType":"Unauthorized","message":"Not Authorized to access onCreateNote on type Subscription","errorCode":401}"#
                        )
                    ]),
                .frame(
                    1, #"{"type":"nonsense"}"#,
                    answers: [
                        refused(
                            nil,
                            #"{"errorType":"UnsupportedOperation","message":"nonsense not supported through the realtime channel"}"#
                        )
                    ]),
                .frame(
                    1, "no json",
                    answers: [refused(nil, #"{"errorType":"BadRequestException","message":"*","errorCode":400}"#)]),
                .start(1, "e", onCreate, [#"{"id":"e","type":"start_ack"}"#]),
                .start(
                    1, "e", onCreate,
                    [refused("e", #"{"errorType":"DuplicatedOperationError","message":"*","errorCode":400}"#)]),
                create("id: \"1\""),
                .heard(1, [#"{"id":"e","type":"data","payload":{"data":{"onCreateNote":{"id":"1","title":null}}}}"#]),
            ]),
        Conversation(
            "§4.7", "server-side filters: operators, and, or; case counts",
            greeted() + [
                .start(
                    1, "a", filtered, #"{"f":{"severity":{"le":2},"title":{"in":["x","y"]}}}"#,
                    ["*"].map { _ in #"{"id":"a","type":"start_ack"}"# }),
                .start(
                    1, "b", filtered, #"{"f":{"or":[{"title":{"beginsWith":"X"}},{"tags":{"contains":"t"}}]}}"#,
                    [#"{"id":"b","type":"start_ack"}"#]),
                create("id: \"1\", severity: 2, title: \"x\""), create("id: \"2\", severity: 3, title: \"x\""),
                create("id: \"3\", severity: 1, title: \"X\""), create("id: \"4\", tags: [\"t\"]"),
                .heard(
                    1,
                    [
                        #"{"id":"a","type":"data","payload":{"data":{"onCreateNote":{"id":"1"}}}}"#,
                        #"{"id":"b","type":"data","payload":{"data":{"onCreateNote":{"id":"3"}}}}"#,
                        #"{"id":"b","type":"data","payload":{"data":{"onCreateNote":{"id":"4"}}}}"#,
                    ]),
            ]),
        Conversation(
            "§4.7", "what is too much for a filter, in the words that amplify-js looks for",
            greeted() + [
                .start(
                    1, "a", filtered, #"{"f":{"not":{"severity":{"eq":1}}}}"#,
                    [
                        refused(
                            "a",
                            #"{"message":"The variables input contains a field name 'not' that is not defined for input object type 'ModelSubscriptionNoteFilterInput' "}"#
                        )
                    ]),
                .start(
                    1, "b", "subscription { onCreateNote(nope: 1) { id } }",
                    [
                        refused(
                            "b",
                            #"{"message":"Validation error of type UnknownArgument: Unknown field argument nope @ 'onCreateNote'"}"#
                        )
                    ]),
                .start(
                    1, "c", filtered,
                    #"{"f":{"id":{"ne":"1"},"title":{"ne":"1"},"body":{"ne":"1"},"severity":{"ne":1},"done":{"ne":true},"day":{"ne":"1"}}}"#,
                    [refused("c", #"{"message":"Filters exceed maximum attributes limit"}"#)]),
                .start(
                    1, "d", filtered,
                    #"{"f":{"or":[{"severity":{"eq":1}},{"severity":{"eq":2}},{"severity":{"eq":3}},{"severity":{"eq":4}},{"severity":{"eq":5}},{"severity":{"eq":6}},{"severity":{"eq":7}},{"severity":{"eq":8}},{"severity":{"eq":9}},{"severity":{"eq":10}},{"severity":{"eq":11}}]}}"#,
                    [refused("d", #"{"message":"Filters combination exceed maximum limit"}"#)]),
                .start(
                    1, "e", filtered, #"{"f":{"title":{"in":["1","2","3","4","5","6"]}}}"#,
                    [refused("e", #"{"message":"Filters combination exceed maximum limit"}"#)]),
                .start(
                    1, "f", filtered, #"{"f":{"title":{"in":["1","2","3","4","5"]}}}"#,
                    [#"{"id":"f","type":"start_ack"}"#]),
            ]),
        Conversation(
            "§4.7", "a basic argument compares with its field; null wants it missing, absence anything",
            greeted() + [
                .frame(1, diaries("1", #"{"o":"ann"}"#, "ann"), answers: [#"{"id":"1","type":"start_ack"}"#]),
                .frame(
                    1, diaries("2", #"{"o":"bob"}"#, "ann"),
                    answers: [refused("2", #"{"errorType":"Unauthorized","message":"*","errorCode":401}"#)]),
                .frame(
                    1, diaries("3", #"{"o":null}"#, "ann"),
                    answers: [refused("3", #"{"errorType":"Unauthorized","message":"*","errorCode":401}"#)]),
                .frame(1, diaries("4", "{}", "ann"), answers: [#"{"id":"4","type":"start_ack"}"#]),
            ]),
        Conversation(
            "§4.8", "events: of every mutation that succeeds, to its author too, deletes with the record",
            greeted() + [
                .start(
                    1, "u", "subscription { onUpdateNote { id title body _version _deleted } }",
                    [#"{"id":"u","type":"start_ack"}"#]),
                .start(
                    1, "d", "subscription { onDeleteNote { id title _version _deleted } }",
                    [#"{"id":"d","type":"start_ack"}"#]),
                create("id: \"1\", title: \"t\""),
                // The event has what the mutation did not select: a hub may be kinder.
                .ask(
                    "mutation { updateNote(input: {id: \"1\", body: \"b\", _version: 1}) { id } }",
                    #"{"data":{"updateNote":{"id":"1"}}}"#),
                .ask(
                    "mutation { updateNote(input: {id: \"9\", body: \"b\", _version: 1}) { id } }",
                    #"{"…":true,"errors":["*"]}"#),
                .ask(
                    "mutation { updateNote(input: {id: \"1\", title: \"late\", _version: 1}) { id } }",
                    #"{"data":{"updateNote":{"id":"1"}}}"#),
                .ask(
                    "mutation { deleteNote(input: {id: \"1\", _version: 3}) { id } }",
                    #"{"data":{"deleteNote":{"id":"1"}}}"#),
                .heard(
                    1,
                    [
                        #"{"id":"u","type":"data","payload":{"data":{"onUpdateNote":{"id":"1","title":"t","body":"b","_version":2,"_deleted":null}}}}"#,
                        #"{"id":"u","type":"data","payload":{"data":{"onUpdateNote":{"id":"1","title":"t","body":"b","_version":3,"_deleted":null}}}}"#,
                        #"{"id":"d","type":"data","payload":{"data":{"onDeleteNote":{"id":"1","title":"t","_version":4,"_deleted":true}}}}"#,
                    ]),
            ]),
        Conversation(
            "§4.3", "a connection lives a day, and half a minute without connection_init",
            [.open(2)] + greeted() + [
                .wait(milliseconds: 29_999), .wait(milliseconds: 1), .closed(2, 1008),
                .wait(milliseconds: 86_400_000), .closed(1, 1011),
            ]),
        Conversation(
            "§7.2", "two subscriptions as gql opens them, of which one stops",
            greeted() + [
                .start(1, "1", onCreate, [#"{"id":"1","type":"start_ack"}"#]),
                .start(
                    1, "2",
                    "subscription ($f: ModelSubscriptionNoteFilterInput) {\n  onCreateNote(filter: $f) {\n    id\n  }\n}",
                    #"{"f":{"severity":{"gt":1}}}"#, [#"{"id":"2","type":"start_ack"}"#]),
                .frame(1, #"{"id":"1","type":"stop"}"#, answers: [#"{"id":"1","type":"complete"}"#]),
                create("id: \"1\", severity: 2"),
                .heard(1, [#"{"id":"2","type":"data","payload":{"data":{"onCreateNote":{"id":"1"}}}}"#]),
            ]),
    ]

    private static func diaries(_ id: String, _ variables: String, _ person: String) -> String {
        let query = "subscription S($o: String) { onCreateDiary(owner: $o) { text } }"
        let data = #"{\"query\":\"\#(query)\",\"variables\":\#(variables.replacing("\"", with: "\\\""))}"#
        return
            #"{"id":"\#(id)","type":"start","payload":{"data":"\#(data)","extensions":{"authorization":{"host":"h","x-api-key":"all","x-bincount-person":"\#(person)"}}}}"#
    }
}
