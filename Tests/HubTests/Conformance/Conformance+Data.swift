/// §1.6, §1.9, §2 and §3: records, pages, versions, conflicts.
extension Conformance {
    private static let create =
        "mutation M($i: CreateNoteInput!) { createNote(input: $i) { id title _version _deleted } }"
    private static let update =
        "mutation M($i: UpdateNoteInput!, $c: ModelNoteConditionInput) { updateNote(input: $i, condition: $c) { __typename id title body tags place { row name } _version _deleted } }"
    private static let delete =
        "mutation M($i: DeleteNoteInput!) { deleteNote(input: $i) { __typename id title _version _deleted _lastChangedAt } }"
    private static let sync =
        "query S($l: AWSTimestamp, $n: Int, $t: String, $f: ModelNoteFilterInput) { syncNotes(lastSync: $l, limit: $n, nextToken: $t, filter: $f) { items { id _version _deleted } nextToken startedAt } }"

    private static let made = #"{"data":{"createNote":{"…":true}}}"#

    private static func failed(
        _ field: String, _ type: String, _ message: String, data: String = "null", column: Int? = nil
    ) -> String {
        let place = column.map { "\($0)" } ?? "\"*\""
        return #"""
            {"data":{"\#(field)":null},"errors":[{"path":["\#(field)"],"data":\#(data),"errorType":"\#(type)",
             "errorInfo":null,"locations":[{"line":1,"column":\#(place),"sourceName":null}],"message":"\#(message)"}]}
            """#
    }

    private static let conditional =
        "The conditional request failed (Service: DynamoDb, Status Code: 400, Request ID: 00000000)"

    static let records: [Conversation] = [
        Conversation(
            "§1.8", "operations that have other names, and those that are not there",
            [
                .ask("mutation { make(input: {id: \"1\"}) { id } }", #"{"data":{"make":{"id":"1"}}}"#),
                .ask(
                    "{ oneRenamed(id: 1) { id } allRenamed { items { id } } }",
                    #"{"data":{"oneRenamed":{"id":"1"},"allRenamed":{"items":[{"id":"1"}]}}}"#),
                .ask(
                    "mutation { deleteRenamed(input: {id: \"1\"}) { id } }",
                    #"{"data":null,"errors":[{"…":true,"message":"Validation error of type FieldUndefined: Field 'deleteRenamed' in type 'Mutation' is undefined @ 'deleteRenamed'"}]}"#
                ),
                .ask(
                    "subscription { onCreateQuiet { id } }",
                    #"{"data":null,"errors":[{"…":true,"message":"Validation error of type FieldUndefined: Field 'onCreateQuiet' in type 'Subscription' is undefined @ 'onCreateQuiet'"}]}"#
                ),
            ]),
        Conversation(
            "§1.6", "get, and what is not there",
            [
                .ask("{ getNote(id: \"none\") { id } }", #"{"data":{"getNote":null}}"#),
                .ask(
                    create, #"{"i":{"id":"1","title":"t"}}"#,
                    #"{"data":{"createNote":{"id":"1","title":"t","_version":1,"_deleted":null}}}"#),
                .ask(
                    "{ getNote(id: 1) { __typename title createdAt updatedAt _lastChangedAt } }",
                    #"{"data":{"getNote":{"__typename":"Note","title":"t","createdAt":"<made>","updatedAt":"<made>","_lastChangedAt":"*"}}}"#
                ),
                .ask(
                    delete, #"{"i":{"id":"1","_version":1}}"#,
                    #"{"data":{"deleteNote":{"__typename":"Note","id":"1","title":"t","_version":2,"_deleted":true,"_lastChangedAt":"*"}}}"#
                ),
                .ask("{ getNote(id: 1) { title _deleted } }", #"{"data":{"getNote":{"title":"t","_deleted":true}}}"#),
                .ask(
                    "{ listNotes { items { id _deleted } } }",
                    #"{"data":{"listNotes":{"items":[{"id":"1","_deleted":true}]}}}"#),
                .ask(
                    "{ listNotes(filter: {_deleted: {ne: true}}) { items { id } } }",
                    #"{"data":{"listNotes":{"items":[]}}}"#),
            ]),
        Conversation(
            "§1.4, §1.6", "an id and the times are made where they are left out; null removes, absence leaves",
            [
                .ask(
                    "mutation { createNote(input: {body: \"b\", title: \"t\"}) { id } }",
                    #"{"data":{"createNote":{"id":"<id>"}}}"#),
                .ask(
                    update, #"{"i":{"id":<<id>>,"title":null,"_version":1}}"#,
                    #"{"data":{"updateNote":{"…":true,"title":null,"body":"b","_version":2}}}"#),
                .ask(
                    "mutation { createNamed(input: {id: \"n\", createdAt: \"2020-01-01T00:00:00.000Z\"}) { createdAt madeAt } }",
                    #"{"data":{"createNamed":{"createdAt":"2020-01-01T00:00:00.000Z","madeAt":"*"}}}"#),
                .ask(
                    "mutation { createLot(input: {code: \"c\", place: 1}) { label } }",
                    #"{"data":{"createLot":{"label":"none"}}}"#),
            ]),
        Conversation(
            "§1.7", "scalars come back as they were sent",
            [
                .ask(
                    "mutation M($i: CreateNoteInput!) { createNote(input: $i) { severity done score status statuses tags dueAt day extra stamp place { __typename row name } } }",
                    #"{"i":{"severity":-2147483648,"done":false,"score":1.5,"status":"OPEN","statuses":["CLOSED"],"tags":["a",null],"dueAt":"2026-11-21T09:41:00.000Z","day":"2026-11-21","extra":"{\"a\":[1]}","stamp":1714557900123,"place":{"row":3}}}"#,
                    #"{"data":{"createNote":{"severity":-2147483648,"done":false,"score":1.5,"status":"OPEN","statuses":["CLOSED"],"tags":["a",null],"dueAt":"2026-11-21T09:41:00.000Z","day":"2026-11-21","extra":"{\"a\":[1]}","stamp":1714557900123,"place":{"__typename":"Place","row":3,"name":null}}}}"#
                )
            ]),
        Conversation(
            "§1.2", "composite keys: get, list along the key, conditions on its sort fields",
            [
                .ask(
                    "mutation { a: createReading(input: {device: \"d\", day: \"2026-01-01\", number: 1}) { number } b: createReading(input: {device: \"d\", day: \"2026-01-01\", number: 2, value: 7}) { number } c: createReading(input: {device: \"d\", day: \"2026-02-01\", number: 1}) { number } d: createReading(input: {device: \"e\", day: \"2026-01-01\", number: 1, value: 7}) { number } }",
                    #"{"data":{"a":{"number":1},"b":{"number":2},"c":{"number":1},"d":{"number":1}}}"#),
                .ask(
                    "{ getReading(device: \"d\", day: \"2026-01-01\", number: 2) { value } }",
                    #"{"data":{"getReading":{"value":7}}}"#),
                .ask(
                    "{ listReadings(device: \"d\", sortDirection: DESC) { items { day number } } }",
                    #"{"data":{"listReadings":{"items":[{"day":"2026-02-01","number":1},{"day":"2026-01-01","number":2},{"day":"2026-01-01","number":1}]}}}"#
                ),
                .ask(
                    "{ listReadings(device: \"d\", dayNumber: {gt: {day: \"2026-01-01\", number: 1}}) { items { day number } } }",
                    #"{"data":{"listReadings":{"items":[{"day":"2026-01-01","number":2},{"day":"2026-02-01","number":1}]}}}"#
                ),
                .ask(
                    "{ listReadings(device: \"d\", dayNumber: {between: [{day: \"2026-01-01\", number: 2}, {day: \"2026-02-01\", number: 0}]}) { items { day number } } }",
                    #"{"data":{"listReadings":{"items":[{"day":"2026-01-01","number":2}]}}}"#),
                .ask(
                    "{ listReadings(device: \"d\", dayNumber: {beginsWith: {day: \"2026-01-01\"}}) { items { number } } }",
                    #"{"data":{"listReadings":{"items":[{"number":1},{"number":2}]}}}"#),
                .ask(
                    "{ listReadings(device: \"d\", dayNumber: {eq: {day: \"2026-01-01\", number: 2}}) { items { number } } }",
                    #"{"data":{"listReadings":{"items":[{"number":2}]}}}"#),
                .ask(
                    "{ listReadings(device: \"d\", dayNumber: {eq: {number: 2}}) { items { number } } }",
                    failed(
                        "listReadings", "InvalidArgumentsError",
                        "When providing argument 'number' you must also provide arguments day")),
                .ask(
                    "{ listReadings(sortDirection: ASC) { items { number } } }",
                    failed(
                        "listReadings", "InvalidArgumentsError",
                        "When providing argument 'sortDirection' you must also provide arguments device")),
                .ask(
                    "{ listReadings(dayNumber: {eq: {day: \"2026-01-01\"}}) { items { number } } }",
                    failed(
                        "listReadings", "InvalidArgumentsError",
                        "When providing argument 'dayNumber' you must also provide arguments device")),
                .ask(
                    "{ readingsByValue(value: 7, deviceNumber: {beginsWith: {device: \"e\"}}) { items { device } } }",
                    #"{"data":{"readingsByValue":{"items":[{"device":"e"}]}}}"#),
                .ask(
                    "{ listReadings(filter: {number: {eq: 1}}) { items { device day } } }",
                    #"{"data":{"listReadings":{"items":[{"device":"d","day":"2026-01-01"},{"device":"d","day":"2026-02-01"},{"device":"e","day":"2026-01-01"}]}}}"#
                ),
                .ask(
                    "mutation { updateReading(input: {device: \"d\", day: \"2026-01-01\", number: 2, value: 8, _version: 1}) { value _version } }",
                    #"{"data":{"updateReading":{"value":8,"_version":2}}}"#),
            ]),
        Conversation(
            "§1.2", "a key of one sort field",
            [
                .ask(
                    "mutation { a: createLot(input: {code: \"x\", place: 1}) { place } b: createLot(input: {code: \"x\", place: 2}) { place } c: createLot(input: {code: \"x\", place: 3}) { place } }",
                    #"{"data":{"a":{"place":1},"b":{"place":2},"c":{"place":3}}}"#),
                .ask(
                    "{ listLots(code: \"x\", place: {ge: 2}, limit: 1) { items { place } nextToken } }",
                    #"{"data":{"listLots":{"items":[{"place":2}],"nextToken":"<token>"}}}"#),
                .ask(
                    "query L($t: String) { listLots(code: \"x\", place: {ge: 2}, limit: 1, nextToken: $t) { items { place } nextToken } }",
                    #"{"t":<<token>>}"#, #"{"data":{"listLots":{"items":[{"place":3}],"nextToken":null}}}"#),
                .ask(
                    "query L($t: String) { listLots(code: \"x\", place: {ge: 1}, limit: 1, nextToken: $t) { items { place } } }",
                    #"{"t":<<token>>}"#, failed("listLots", "BadRequest", "Invalid pagination token given.")),
            ]),
        Conversation(
            "§1.9", "relations: hasMany with its arguments, belongsTo, hasOne, manyToMany",
            [
                .ask(
                    "mutation { l: createLid(input: {id: \"l\", colour: \"red\"}) { id } b: createBox(input: {id: \"b\", code: \"B\", lidID: \"l\"}) { id } x: createItem(input: {id: \"x\", weight: 3, boxID: \"b\"}) { id } y: createItem(input: {id: \"y\", weight: 1, boxID: \"b\"}) { box { code } } z: createItem(input: {id: \"z\", weight: 2, boxID: \"none\"}) { id } t: createLabel(input: {id: \"t\", text: \"T\"}) { id } j: createBoxLabels(input: {id: \"j\", boxId: \"b\", labelId: \"t\"}) { id } }",
                    #"{"data":{"l":{"id":"l"},"b":{"id":"b"},"x":{"id":"x"},"y":{"box":{"code":"B"}},"z":{"id":"z"},"t":{"id":"t"},"j":{"id":"j"}}}"#
                ),
                .ask(
                    "{ getBox(id: \"b\") { lid { colour } items { items { id box { id } } nextToken } labels { items { label { text } } } } }",
                    #"{"data":{"getBox":{"lid":{"colour":"red"},"items":{"items":[{"id":"y","box":{"id":"b"}},{"id":"x","box":{"id":"b"}}],"nextToken":null},"labels":{"items":[{"label":{"text":"T"}}]}}}}"#
                ),
                .ask(
                    "{ getBox(id: \"b\") { down: items(sortDirection: DESC, limit: 1) { items { id } nextToken } heavy: items(weight: {gt: 1}) { items { id } } none: items(filter: {id: {eq: \"z\"}}) { items { id } } } }",
                    #"{"data":{"getBox":{"down":{"items":[{"id":"x"}],"nextToken":"<more>"},"heavy":{"items":[{"id":"x"}]},"none":{"items":[]}}}}"#
                ),
                .ask(
                    "query Q($t: String) { getBox(id: \"b\") { items(sortDirection: DESC, limit: 1, nextToken: $t) { items { id } nextToken } } }",
                    #"{"t":<<more>>}"#, #"{"data":{"getBox":{"items":{"items":[{"id":"y"}],"nextToken":null}}}}"#),
                .ask(
                    "{ z: getItem(id: \"z\") { box { id } } boxesByCode(code: \"B\") { items { id } } itemsByBox(boxID: \"b\", weight: {lt: 3}) { items { id } } }",
                    #"{"data":{"z":{"box":null},"boxesByCode":{"items":[{"id":"b"}]},"itemsByBox":{"items":[{"id":"y"}]}}}"#
                ),
            ]),
        Conversation(
            "§1.6", "owner rules: the caller is filled in, somebody else's name is refused",
            [
                .ask(
                    "mutation { createDiary(input: {id: \"1\", text: \"t\"}) { owner } }", person: "ann",
                    #"{"data":{"createDiary":{"owner":"ann"}}}"#),
                .ask(
                    "mutation { createDiary(input: {id: \"2\", owner: \"ann\"}) { owner } }", person: "bob",
                    failed("createDiary", "Unauthorized", "Not Authorized to access createDiary on type Mutation")),
                .ask(
                    "{ getDiary(id: \"1\") { text } listDiaries { items { id } } }", person: "bob",
                    #"{"data":{"getDiary":null,"listDiaries":{"items":[]}}}"#),
            ]),
    ]

    static let syncing: [Conversation] = [
        Conversation(
            "§2.2, §2.3", "base, delta, pages with one startedAt, tombstones",
            [
                .ask(create, #"{"i":{"id":"1","title":"a"}}"#, made), .wait(milliseconds: 10),
                .ask(create, #"{"i":{"id":"2","title":"b"}}"#, made), .wait(milliseconds: 10),
                .ask(
                    delete, #"{"i":{"id":"1","_version":1}}"#,
                    #"{"data":{"deleteNote":{"…":true,"_lastChangedAt":"<gone>"}}}"#),
                .ask(
                    sync, #"{"n":1}"#,
                    #"{"data":{"syncNotes":{"items":[{"id":"1","_version":2,"_deleted":true}],"nextToken":"<token>","startedAt":"<started>"}}}"#
                ),
                .wait(milliseconds: 10),
                .ask(create, #"{"i":{"id":"3","title":"c"}}"#, made),
                .ask(
                    sync, #"{"n":1,"t":<<token>>}"#,
                    #"{"data":{"syncNotes":{"items":[{"id":"2","_version":1,"_deleted":null}],"nextToken":null,"startedAt":<<started>>}}}"#
                ),
                // Inclusive, so that nothing falls between: clients know what they have by its version.
                .ask(
                    sync, #"{"l":<<started>>}"#,
                    #"{"data":{"syncNotes":{"items":[{"id":"1","_version":2,"_deleted":true},{"id":"3","_version":1,"_deleted":null}],"nextToken":null,"startedAt":"*"}}}"#
                ),
                .ask(
                    sync, #"{"l":0}"#,
                    #"{"data":{"syncNotes":{"items":["*","*","*"],"nextToken":null,"startedAt":"*"}}}"#),
                .ask(
                    sync, #"{"l":null}"#,
                    #"{"data":{"syncNotes":{"items":["*","*","*"],"nextToken":null,"startedAt":"*"}}}"#),
            ]),
        Conversation(
            "§2.3", "a page may be short, and is gone on from until there is no token",
            [
                .ask(create, #"{"i":{"id":"1","severity":1}}"#, made),
                .ask(create, #"{"i":{"id":"2","severity":2}}"#, made),
                .ask(
                    sync, #"{"n":1,"f":{"severity":{"eq":2}}}"#,
                    #"{"data":{"syncNotes":{"items":[{"id":"2","_version":1,"_deleted":null}],"nextToken":"*","startedAt":"*"}}}"#
                ),
                .ask(
                    sync, #"{"t":"forged"}"#, failed("syncNotes", "BadRequest", "Invalid pagination token given.")),
                .ask(
                    sync, #"{"n":0}"#,
                    #"{"data":{"syncNotes":null},"errors":[{"…":true,"message":"limit must be greater than 0, not 0"}]}"#
                ),
            ]),
        Conversation(
            "§2.4", "a tombstone keeps its id",
            [
                .ask(create, #"{"i":{"id":"1","title":"t"}}"#, made),
                .ask(delete, #"{"i":{"id":"1","_version":1}}"#, #"{"data":{"deleteNote":{"…":true}}}"#),
                .ask(
                    create, #"{"i":{"id":"1","title":"t"}}"#,
                    failed("createNote", "ConditionalCheckFailedException", conditional)),
            ]),
        Conversation(
            "§2.4", "a create that is sent again with the same content is the same create",
            [
                .ask(create, #"{"i":{"id":"1","title":"t"}}"#, made),
                .ask(
                    create, #"{"i":{"id":"1","title":"t"}}"#,
                    #"{"data":{"createNote":{"id":"1","title":"t","_version":1,"_deleted":null}}}"#),
                .ask(
                    create, #"{"i":{"id":"1","title":"u"}}"#,
                    failed("createNote", "ConditionalCheckFailedException", conditional)),
            ]),
    ]

    static let conflicts: [Conversation] = [
        Conversation(
            "§3.2", "automerge: what is there wins, what is missing is taken, lists grow, maps recurse",
            [
                .ask(create, #"{"i":{"id":"1","title":"server","tags":["a"],"place":{"row":1}}}"#, made),
                .ask(
                    update, #"{"i":{"id":"1","title":"first","_version":1}}"#,
                    #"{"data":{"updateNote":{"…":true,"_version":2}}}"#),
                .ask(
                    update,
                    #"{"i":{"id":"1","title":"late","body":"new","tags":["a","b"],"place":{"row":9,"name":"n"},"_version":1}}"#,
                    #"{"data":{"updateNote":{"__typename":"Note","id":"1","title":"first","body":"new","tags":["a","a","b"],"place":{"row":1,"name":"n"},"_version":3,"_deleted":null}}}"#
                ),
                .ask(
                    update, #"{"i":{"id":"1","title":"late","_version":1}}"#,
                    #"{"data":{"updateNote":{"…":true,"title":"first","_version":4}}}"#),
                .ask(
                    update, #"{"i":{"id":"1","body":null,"_version":1}}"#,
                    #"{"data":{"updateNote":{"…":true,"body":"new","_version":5}}}"#),
                .ask(
                    delete, #"{"i":{"id":"1","_version":1}}"#,
                    failed(
                        "deleteNote", "ConflictUnhandled", "Conflict resolver rejects mutation.",
                        data:
                            #"{"__typename":"Note","id":"1","title":"first","_version":5,"_deleted":null,"_lastChangedAt":"*"}"#
                    )),
            ]),
        Conversation(
            "§3.3, §3.4", "optimistic concurrency: a stale version is refused with the record that is there",
            [
                .ask(
                    "mutation { createStrict(input: {id: \"1\", title: \"a\"}) { _version } }",
                    #"{"data":{"createStrict":{"_version":1}}}"#),
                .ask(
                    "mutation { updateStrict(input: {id: \"1\", title: \"b\", _version: 1}) { _version } }",
                    #"{"data":{"updateStrict":{"_version":2}}}"#),
                .ask(
                    "mutation { updateStrict(input: {id: \"1\", title: \"c\", _version: 1}) { __typename id title _version _deleted } }",
                    failed(
                        "updateStrict", "ConflictUnhandled", "Conflict resolver rejects mutation.",
                        data: #"{"__typename":"Strict","id":"1","title":"b","_version":2,"_deleted":null}"#, column: 12)
                ),
                .ask(
                    "mutation { updateStrict(input: {id: \"1\", title: \"c\", _version: 3}) { _version } }",
                    failed(
                        "updateStrict", "ConflictUnhandled", "Conflict resolver rejects mutation.",
                        data: #"{"_version":2}"#)),
            ]),
        Conversation(
            "§3.5", "a missing version is 0, and 0 is a conflict",
            [
                .ask(create, #"{"i":{"id":"1","title":"t"}}"#, made),
                .ask(
                    update, #"{"i":{"id":"1","title":"u","body":"b"}}"#,
                    #"{"data":{"updateNote":{"…":true,"title":"t","body":"b","_version":2}}}"#),
                .ask(
                    delete, #"{"i":{"id":"1"}}"#,
                    failed("deleteNote", "ConflictUnhandled", "Conflict resolver rejects mutation.", data: "\"*\"")),
            ]),
        Conversation(
            "§3.4, §3.5", "conditions, guards, tombstones",
            [
                .ask(create, #"{"i":{"id":"1","title":"t","severity":1}}"#, made),
                .ask(
                    update, #"{"i":{"id":"1","title":"u","_version":1},"c":{"severity":{"gt":1}}}"#,
                    failed("updateNote", "ConditionalCheckFailedException", conditional)),
                .ask(
                    update, #"{"i":{"id":"1","title":"u","_version":1},"c":{"not":{"severity":{"gt":1}}}}"#,
                    #"{"data":{"updateNote":{"…":true,"title":"u","_version":2}}}"#),
                .ask(
                    update, #"{"i":{"id":"none","title":"u","_version":1}}"#,
                    failed("updateNote", "ConditionalCheckFailedException", conditional)),
                .ask(
                    delete, #"{"i":{"id":"1","_version":2}}"#,
                    #"{"data":{"deleteNote":{"…":true,"_version":3,"_deleted":true}}}"#),
                .ask(
                    update, #"{"i":{"id":"1","title":"v","_version":3}}"#,
                    failed(
                        "updateNote", "ConflictUnhandled", "Conflict resolver rejects mutation.",
                        data: #"{"…":true,"_deleted":true,"_version":3}"#)),
                .ask(
                    delete, #"{"i":{"id":"1","_version":3}}"#,
                    failed(
                        "deleteNote", "ConflictUnhandled", "Conflict resolver rejects mutation.",
                        data: #"{"…":true,"_deleted":true}"#)),
            ]),
    ]
}
