import AppSync
import Basics
import Models
import Testing
import WarehouseModels

@testable import Hub

@Suite struct RightsTests {
    static let entryFields =
        "id kind authorID quantity crewIDs audience _version _deleted _lastChangedAt"

    static func entry(_ id: String, author: String, crew: [String] = [], audience: [String] = []) -> JSONValue {
        [
            "id": .string(id), "sessionID": "s", "passID": "p", "kind": "TALLY", "authorID": .string(author),
            "deviceID": "T1", "sequence": 1, "at": "2026-11-21T09:41:00.000Z", "bootID": "b", "uptimeMs": "1",
            "previousHash": "", "hash": "h", "quantity": 3, "crewIDs": .array(crew.map { .string($0) }),
            "audience": .array(audience.map { .string($0) }),
        ]
    }

    static let createEntry = "mutation M($i: CreateCountEntryInput!) { createCountEntry(input: $i) { \(entryFields) } }"

    /// What counters may do with each model: read, create, update, delete (floor.md §1.15, §2).
    static let counterMatrix: [(String, Bool, Bool)] = [
        ("Zone", true, false), ("Bin", true, false), ("Item", true, false), ("ItemCost", false, false),
        ("Pack", true, false), ("Barcode", true, false), ("BookSnapshot", false, false), ("BookLine", false, false),
        ("StockMovement", false, false), ("CountSession", true, false), ("SessionPlan", false, false),
        ("BinTask", true, false), ("TaskPlan", false, false), ("ExpectedLine", true, false), ("CountPass", true, true),
        ("CountEntry", true, true), ("CodeMatch", true, false), ("LineVerdict", false, false),
        ("Decision", false, false), ("Rule", false, false), ("ExportDocument", false, false),
        ("ExportLine", false, false), ("Person", true, false), ("Device", true, true), ("DeskLease", false, false),
        ("Message", true, true),
        ("Setting", true, false),
    ]

    @Test(arguments: [
        #"["ann"]"#, #"["bob","ann"]"#, #"["bob", "ann"]"#, #"["bob"]"#, "[]", #"["annette","joann"]"#,
        #"["a\u006en"]"#, #"["x\"ann\""]"#, #"["\\","ann"]"#, #"[["ann"]]"#, #"[{"ann":"ann"}]"#, #"[null,"ann"]"#,
        #"["",""]"#,
        #"[",","ann"]"#, #"["zoë"]"#, #"["zoe\u0308"]"#, #""ann""#, "ann", #"["ann"#, "",
    ])
    func aListNamesExactlyItsTexts(_ text: String) {
        let elements = (try? JSONValue(parsing: text)).flatMap { json -> [JSONValue]? in
            if case .array(let elements) = json { elements } else { nil }
        }
        for names in [["ann"], ["zoë"], [","], [""], ["carl", "ann"]] {
            let rule = RowRule(position: 0, isList: true, accepted: names, isOwner: true)
            let isNamed =
                elements?.contains { element in names.contains { element.string?.hasSameBytes(as: $0) ?? false } }
                ?? false
            // What is no list at all is never stored; a look at its bytes may stop early, but never before a name.
            if elements != nil || !text.hasPrefix("[") { #expect(rule.matches([.text(text)]) == isNamed, "\(names)") }
        }
    }

    @Test(arguments: counterMatrix.map(\.0))
    func aCounterReachesExactlyTheModelsThatTheFloorGivesHim(_ name: String) throws {
        let hub = try HubFixture(warehouse)
        let row = try #require(Self.counterMatrix.first { $0.0 == name })
        let info = try #require(hub.core.engine.schema.model(name))
        let caller = Caller(groups: ["counters"], person: "ann", device: "T1")
        for operation in [AuthRule.Operation.get, .list, .sync, .listen] {
            #expect(!Access(info, operation, for: caller).isNone == row.1, "\(name) \(operation)")
        }
        #expect(!Access(info, .create, for: caller).isNone == row.2, "\(name) create")
        #expect(!Access(info, .update, for: caller).isNone == (name == "Device"), "\(name) update")
        #expect(Access(info, .delete, for: caller).isNone, "\(name) delete")
        guard !row.1 else { return }
        let plural = info.schema.pluralName
        for query in [
            "{ get\(name)(id: \"1\") { id } }", "{ list\(plural) { items { id } } }",
            "{ sync\(plural) { items { id } startedAt } }",
        ] {
            let json = hub.send(query, key: "counter", person: "ann", device: "T1")
            #expect(json.errorType == "Unauthorized", "\(query)")
            #expect(json.result == .null)
        }
    }

    @Test func everyModelOfTheMatrixIsServedAndNoOther() throws {
        let hub = try HubFixture(warehouse)
        #expect(Set(hub.core.engine.schema.models.map(\.schema.name)) == Set(Self.counterMatrix.map(\.0)))
    }

    @Test func nobodyMayChangeAPassAnEntryOrAMatch() throws {
        let hub = try HubFixture(warehouse)
        for name in ["CountPass", "CountEntry", "CodeMatch"] {
            let info = try #require(hub.core.engine.schema.model(name))
            for group in ["counters", "supervisors", "auditors", "desk", "admins"] {
                let caller = Caller(groups: [group], person: "ann", device: "T1")
                #expect(Access(info, .update, for: caller).isNone)
                #expect(Access(info, .delete, for: caller).isNone)
            }
        }
    }

    @Test func withoutAKeyNothingIsSaid() throws {
        let hub = try HubFixture()
        let body = Array("{\"query\":\"{ listNotes { items { id } } }\"}".utf8)
        #expect(hub.raw(body, key: nil).status == 401)
        #expect(hub.raw(body, key: "").status == 401)
        let wrong = hub.raw(body, key: "all2", person: "ann")
        #expect(wrong.status == 401)
        #expect(String(decoding: wrong.body, as: UTF8.self).contains("You are not authorized to make this call."))
    }

    @Test func anEntryIsMadeOnlyInOnesOwnName() throws {
        let hub = try HubFixture(warehouse)
        let own = hub.send(
            Self.createEntry, ["i": Self.entry("T1-1", author: "ann")], key: "counter", person: "ann", device: "T1")
        #expect(own.result?["authorID"] == "ann")
        let other = hub.send(
            Self.createEntry, ["i": Self.entry("T1-2", author: "bob")], key: "counter", person: "ann", device: "T1")
        #expect(other.errorType == "Unauthorized")
        let nobody = hub.send(Self.createEntry, ["i": Self.entry("T1-3", author: "bob")], key: "counter")
        #expect(nobody.errorType == "Unauthorized")
        #expect(hub.events.count == 1)
    }

    @Test func entriesReachTheirAuthorHisCrewTheirAudienceAndTheOffice() throws {
        let hub = try HubFixture(warehouse)
        func put(_ id: String, _ author: String, _ crew: [String], _ audience: [String]) {
            hub.send(
                Self.createEntry, ["i": Self.entry(id, author: author, crew: crew, audience: audience)],
                key: "counter", person: author)
        }
        put("1", "ann", [], [])
        put("2", "ann", ["bob"], [])
        put("3", "ann", [], ["counters"])
        put("4", "ann", ["bobby"], ["auditors"])
        func seen(_ key: String, _ person: String?) -> [String] {
            let json = hub.send("{ syncCountEntries { items { id } } }", key: key, person: person)
            return json.result?["items"]?.array?.compactMap { $0["id"]?.string } ?? []
        }
        #expect(seen("counter", "ann") == ["1", "2", "3", "4"])
        #expect(seen("counter", "bob") == ["2", "3"])
        #expect(seen("counter", nil) == ["3"])
        #expect(seen("super", nil) == ["1", "2", "3", "4"])
        #expect(hub.send("{ getCountEntry(id: \"1\") { id } }", key: "counter", person: "bob").result == .null)
        #expect(hub.send("{ getCountEntry(id: \"1\") { id } }", key: "counter", person: "bob").errorType == nil)
    }

    @Test func `who comes with an issuer's token owns by each of its names, and hears by whichever he says`() throws {
        let schema = try Schema(
            sdl: """
                type Page @model @auth(rules: [{ allow: owner }]) { id: ID! owner: String }
                type Leaf @model @auth(rules: [{ allow: owner, identityClaim: "sub::email" }]) { id: ID! owner: String }
                """)
        let hub = try TokenFixture(schema)
        hub.admit(
            "ann", person: "s-1", claims: ["sub": "s-1", "cognito:username": "annie", "email": "a@x"])
        hub.admit("eve", person: "s-2", claims: ["sub": "s-2", "cognito:username": "eve", "email": "e@x"])
        func create(_ who: String, _ id: String, _ owner: String?, _ model: String = "Page") -> JSONValue {
            hub.send(
                who, "mutation M($i: Create\(model)Input!) { create\(model)(input: $i) { owner } }",
                ["i": owner.map { ["id": .string(id), "owner": .string($0)] } ?? ["id": .string(id)]])
        }
        let names = ["s-1::annie", "s-1", "annie"]
        for (number, name) in names.enumerated() {
            hub.connect(UInt64(number), "ann")
            hub.start(UInt64(number), "s", "ann", "subscription { onCreatePage(owner: \"\(name)\") { id } }")
        }
        hub.connect(9, "eve")
        hub.start(9, "s", "eve", "subscription { onCreatePage(owner: \"s-1::annie\") { id } }")
        #expect(hub.take(9).last?["type"] == "error")
        for number in 0..<3 { _ = hub.take(UInt64(number)) }
        #expect(create("ann", "0", nil).result?["owner"] == "s-1", "the person, by whom the others know him")
        for (number, name) in names.enumerated() { #expect(create("ann", "\(number + 1)", name)["errors"] == nil) }
        #expect(create("eve", "x", "s-1::annie").errorType == ErrorType.unauthorized)
        #expect(create("eve", "y", nil).result?["owner"] == "s-2")
        for number in 0..<3 {
            let heard = hub.take(UInt64(number)).compactMap { $0["payload"]?["data"]?["onCreatePage"]?["id"]?.string }
            #expect(heard == ["0", "1", "2", "3"])
        }
        let listed = hub.send("ann", "{ listPages { items { id } } }").result?["items"]?.array ?? []
        #expect(listed.compactMap { $0["id"]?.string } == ["0", "1", "2", "3"])
        // A claim of several parts is the joined value, and each part is taken too.
        #expect(create("ann", "0", nil, "Leaf").result?["owner"] == "s-1::a@x")
        for owner in ["s-1", "a@x"] { #expect(create("ann", owner, owner, "Leaf")["errors"] == nil) }
        #expect(create("ann", "9", "annie", "Leaf").errorType == ErrorType.unauthorized)
        // Of an issuer that is no user pool the name that one may choose is nobody's.
        hub.admit("odd", .oidc, person: "s-3", claims: ["sub": "s-3", "username": "0042"])
        #expect(create("odd", "a", "0042").errorType == ErrorType.unauthorized)
        #expect(create("odd", "b", "s-3::0042")["errors"] == nil)
    }

    @Test func aFilterTellsNothingOfRowsThatMayNotBeRead() throws {
        let hub = try HubFixture(warehouse)
        hub.send(Self.createEntry, ["i": Self.entry("1", author: "ann")], key: "counter", person: "ann")
        for filter in ["{quantity: {eq: 3}}", "{quantity: {ne: 3}}", "{not: {authorID: {eq: \"ann\"}}}"] {
            for field in ["listCountEntries", "syncCountEntries"] {
                let json = hub.send(
                    "{ \(field)(filter: \(filter)) { items { id } nextToken } }", key: "counter", person: "bob")
                #expect(json.result?["items"] == [])
                #expect(json.result?["nextToken"] == .null)
            }
        }
    }

    @Test func aWriterWithoutTheRightToReadCannotProbeByConditionOrConflict() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "secret", "size": 7])
        let probe = hub.send(
            "mutation { updateNote(input: {id: \"1\", body: \"x\", _version: 1}, condition: {size: {eq: 7}}) { id body _version } }",
            key: "blind")
        #expect(probe.errorType == "Unauthorized")
        let peek = hub.send(
            "mutation { updateNote(input: {id: \"1\", body: \"x\", _version: 1}) { id title } }", key: "blind")
        #expect(peek.errorType == "Unauthorized")
        #expect(peek.errorMessage == "Not Authorized to access title on type Note")
        let written = hub.send(
            "mutation { updateNote(input: {id: \"1\", body: \"x\", _version: 1}) { id body _version } }", key: "blind")
        #expect(written.result?["body"] == "x")
        // A stale update would answer with what was in the field he names.
        let stale = hub.send(
            "mutation { updateNote(input: {id: \"1\", size: 1, _version: 1}) { id size _version } }", key: "blind")
        #expect(stale.errorType == "ConflictUnhandled")
        #expect(stale["errors"]?[0]?["data"] == .null)
        let update = "mutation M($i: UpdateNoteInput!) { m: updateNote(input: $i) { id FIELD _version } }"
        let input: JSONValue = ["i": ["id": "1", "body": "y", "_version": 2]]
        let first = hub.send(update.replacing("FIELD", with: "body"), input, key: "blind", device: "T", ids: ["m": "u"])
        #expect(first.result?["body"] == "y")
        let replayed = hub.send(
            update.replacing("FIELD", with: "size"), input, key: "blind", device: "T", ids: ["m": "u"])
        #expect(replayed.errorType == "Unauthorized")
    }

    @Test func anOwnerFieldIsFilledInAndNotHandedAway() throws {
        let hub = try HubFixture()
        let made = hub.send(
            "mutation { createDiary(input: {id: \"1\", text: \"t\"}) { author _version } }", person: "ann")
        #expect(made.result?["author"] == "ann")
        func update(_ person: String, _ input: String) -> JSONValue {
            hub.send("mutation { updateDiary(input: {id: \"1\", \(input), _version: 1}) { author } }", person: person)
        }
        #expect(update("bob", "text: \"mine\"").errorType == "Unauthorized")
        #expect(update("ann", "author: \"bob\"").errorType == "Unauthorized")
        #expect(update("ann", "author: null").errorType == "Unauthorized")
        #expect(update("ann", "text: \"new\"").result?["author"] == "ann")
        #expect(
            hub.send("mutation { updateDiary(input: {id: \"none\", text: \"t\"}) { id } }", person: "ann").errorType
                == "Unauthorized")
        #expect(
            hub.send("mutation { deleteDiary(input: {id: \"1\", _version: 2}) { id } }", person: "bob").errorType
                == "Unauthorized")
    }

    @Test func aDeviceWritesItsOwnRecordOnly() throws {
        let hub = try HubFixture(warehouse)
        let create = """
            mutation M($i: CreateDeviceInput!) { createDevice(input: $i) { id code _version } }
            """
        func input(_ code: String) -> JSONValue {
            [
                "i": [
                    "id": .string(code), "code": .string(code), "kind": "terminal", "lastSequence": 0, "unsent": 0,
                    "parked": 0, "beatAt": "2026-11-21T09:41:00Z", "version": "1",
                ]
            ]
        }
        #expect(hub.send(create, input("T1"), key: "counter", person: "ann", device: "T1").result?["code"] == "T1")
        #expect(hub.send(create, input("T2"), key: "counter", person: "ann", device: "T1").errorType == "Unauthorized")
        let beat = "mutation { updateDevice(input: {id: \"T1\", unsent: 4, _version: 1}) { unsent } }"
        #expect(hub.send(beat, key: "counter", device: "T2").errorType == "Unauthorized")
        #expect(hub.send(beat, key: "counter", device: "T1").result?["unsent"] == 4)
        #expect(hub.send("{ syncDevices { items { id } } }", key: "counter", device: "T2").result?["items"] == [])
    }

    @Test func aRelationIsFollowedOnlyWhereItsTargetMayBeRead() throws {
        let hub = try HubFixture()
        hub.send("mutation { createBox(input: {id: \"b\", label: \"box\"}) { id } }")
        for index in 0..<3 {
            hub.create(["id": .string("n\(index)"), "title": "t", "boxID": "b", "size": .integer(Int64(9 - index))])
        }
        let box = hub.send("{ getBox(id: \"b\") { label notes(limit: 2) { items { id box { label } } nextToken } } }")
            .result
        #expect(box?["notes"]?["items"]?.array?.count == 2)
        #expect(box?["notes"]?["items"]?[0]?["box"]?["label"] == "box")
        #expect(box?["notes"]?["nextToken"]?.string != nil)
        let sorted = hub.send(
            "{ notesByBox(boxID: \"b\", size: {ge: 8}, sortDirection: DESC) { items { id size } } }"
        ).result
        #expect(sorted?["items"] == [["id": "n0", "size": 9], ["id": "n1", "size": 8]])
        let blind = hub.send(
            "mutation { createNote(input: {id: \"w\", title: \"t\", boxID: \"b\"}) { id box { label } } }", key: "blind"
        )
        #expect(blind.result?["id"] == "w")
        #expect(blind.result?["box"] == .null)
        #expect(blind.errorType == "Unauthorized")
    }

    @Test func keysAreReadStrictlyAndKeptAsDigests() throws {
        #expect(throws: HubError.self) { try APIKeys([""]) }
        #expect(throws: HubError.self) { try APIKeys(["k:"]) }
        #expect(throws: HubError.self) { try APIKeys(["k:a,,b"]) }
        let keys = try APIKeys(["plain", "k:desk,admins"])
        #expect(keys.caller(key: "plain")?.groups == ["counters"])
        #expect(keys.caller(key: "k")?.groups == ["desk", "admins"])
        #expect(keys.caller(key: "plai") == nil)
        #expect(!"\(keys)".contains("plain"))
        // The same once more changes nothing; with other groups nobody could tell which hold.
        #expect(try APIKeys(["plain", "plain:counters", "k:a,b", "k:b,a"]).groups == ["counters", "a", "b"])
        let refused = #expect(throws: HubError.self) { try APIKeys(["office-key:desk,admins", "office-key"]) }
        let fingerprint = try #require(keys.caller(key: "plain")?.fingerprint)
        let named = #expect(throws: HubError.self) { try APIKeys(["plain", "k", "plain:desk"]) }
        #expect(refused?.message.contains("(admins,desk; counters)") == true)
        #expect(named?.message.contains(fingerprint) == true)
        for error in [refused, named] { #expect(error?.message.contains("office-key") == false) }
    }
}
