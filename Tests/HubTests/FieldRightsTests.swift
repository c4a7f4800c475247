import Basics
import GraphQL
import Models
import Testing
import WarehouseModels

@testable import Hub

/// Rules of `@auth` on a field take the place of the model's for that field.
@Suite struct FieldRightsTests {
    private static let decision: JSONValue = [
        "id": "S1-1", "kind": "stop", "sessionID": "s", "targetIDs": [], "seenRevisions": [], "byID": "sue",
        "deviceID": "S1", "sequence": 1, "at": "2026-11-21T09:41:00.000Z", "previousHash": "", "hash": "h",
    ]

    private func decided() throws -> HubFixture {
        let hub = try HubFixture(warehouse)
        #expect(create(hub, Self.decision).result?["_version"] == 1)
        return hub
    }

    private func create(_ hub: HubFixture, _ input: JSONValue, key: String = "super") -> JSONValue {
        hub.send(
            "mutation M($i: CreateDecisionInput!) { createDecision(input: $i) { id result _version } }", ["i": input],
            key: key, person: "sue", device: "S1")
    }

    private func update(_ hub: HubFixture, _ fields: String, key: String, version: Int = 1) -> JSONValue {
        hub.send(
            """
            mutation { updateDecision(input: {id: "S1-1", \(fields)_version: \(version)}) { kind result reason _version } }
            """, key: key, person: "sue", device: "D1")
    }

    @Test func theDeskWritesADecisionsResult() throws {
        let hub = try decided()
        let answer = update(
            hub, "result: done, resultText: \"ok\", resultAt: \"2026-11-21T09:42:00.000Z\", ", key: "desk")
        #expect(answer.result?["result"] == "done")
        #expect(answer.result?["_version"] == 2)
        #expect(hub.events.last?.kind == .update)
    }

    @Test(arguments: [
        "kind: close, ", "reason: \"better\", ", "hash: \"x\", ", "targetIDs: [\"z\"], ", "reason: null, ",
        "result: done, byID: \"bob\", ", "",
    ])
    func theDeskWritesNothingElseOfIt(_ fields: String) throws {
        let hub = try decided()
        #expect(update(hub, fields, key: "desk").errorType == "Unauthorized")
        let stored = hub.send("{ getDecision(id: \"S1-1\") { kind reason result byID _version } }", key: "super").result
        #expect(stored == ["kind": "stop", "reason": nil, "result": nil, "byID": "sue", "_version": 1])
    }

    @Test(arguments: ["super", "audit", "counter", "admin"])
    func nobodyElseWritesTheResult(_ key: String) throws {
        let hub = try decided()
        for fields in ["result: done, ", "resultText: null, "] {
            #expect(update(hub, fields, key: key).errorType == "Unauthorized")
        }
    }

    @Test func aSupervisorCannotMakeADecisionThatIsAnsweredAlready() throws {
        let hub = try HubFixture(warehouse)
        guard case .object(var input) = Self.decision else { return }
        input["result"] = "done"
        #expect(create(hub, .object(input)).errorType == "Unauthorized")
        input["result"] = .null
        #expect(create(hub, .object(input)).result?["id"] == "S1-1")
        input["id"] = "S1-2"
        #expect(create(hub, .object(input), key: "desk").errorType == "Unauthorized")
    }

    @Test func aStaleResultIsMergedForTheDeskAlone() throws {
        let hub = try decided()
        _ = update(hub, "result: waiting, ", key: "desk")
        #expect(update(hub, "reason: \"x\", result: refused, ", key: "desk").errorType == "Unauthorized")
        #expect(update(hub, "resultText: \"late\", ", key: "desk").errorType == nil)
        #expect(update(hub, "resultText: \"late\", ", key: "super").errorType == "Unauthorized")
    }

    private static let sample = """
        type Card @model @auth(rules: [
          { allow: groups, groups: ["everyone"], operations: [create, update, delete, read] }
        ]) {
          id: ID!
          text: String
          owner: String
          score: Int @default(value: "3") @auth(rules: [
            { allow: owner, operations: [update] }
            { allow: groups, groups: ["writers"], operations: [create, update] }
            { allow: groups, groups: ["everyone"], operations: [read] }
          ])
        }
        """

    @Test func aFieldsOwnerRuleLooksAtTheRow() throws {
        let hub = try HubFixture(try Schema(sdl: Self.sample))
        let create = "mutation { createCard(input: {id: \"1\", owner: \"ann\" EXTRA}) { score } }"
        #expect(hub.send(create.replacing("EXTRA", with: ", score: 9")).errorType == "Unauthorized")
        // The default is no choice of the one who makes the record.
        #expect(hub.send(create.replacing("EXTRA", with: "")).result?["score"] == 3)
        let update = "mutation { updateCard(input: {id: \"1\", FIELDS, _version: VERSION}) { id score } }"
        func send(_ fields: String, _ version: Int, key: String = "all", person: String? = nil) -> JSONValue {
            hub.send(
                update.replacing("FIELDS", with: fields).replacing("VERSION", with: String(version)), key: key,
                person: person)
        }
        #expect(send("score: 5", 1, person: "bob").errorType == "Unauthorized")
        #expect(send("score: 5", 1, person: "ann").result?["score"] == 5)
        #expect(send("score: 6, text: \"t\"", 2, person: "ann").result?["score"] == 6)
        #expect(send("text: \"u\"", 3, person: "bob").result?["score"] == 6)
        // Giving the record away would give the field away; who may write neither cannot.
        #expect(send("score: 7, owner: \"bob\"", 4, person: "ann").errorType == "Unauthorized")
        #expect(send("text: \"v\"", 4, key: "blind").errorType == "Unauthorized")
    }

    /// Whoever is in `supervisors` reads the cards; their owners make and change them.
    private static let cards = try! Schema(
        sdl: ["Card", "Slip"].map { model in
            """
            type \(model) @model \(model == "Slip" ? "@conflict(strategy: OPTIMISTIC_CONCURRENCY)" : "") @auth(rules: [
              { allow: owner, operations: [create, update] }
              { allow: groups, groups: ["supervisors"] }
            ]) {
              id: ID!
              owner: String
              text: String
              score: Int @auth(rules: [{ allow: groups, groups: ["supervisors"] }])
              note: String @auth(rules: [
                { allow: owner, operations: [create, update] }, { allow: groups, groups: ["supervisors"] }
              ])
              hits: Int @counter @auth(rules: [
                { allow: owner, operations: [update] }, { allow: groups, groups: ["supervisors"] }
              ])
            }
            """
        }.joined(separator: "\n"))

    /// A card and a slip of Ann's, of whose score, note and hits only a supervisor knows.
    private func cards() throws -> HubFixture {
        let hub = try HubFixture(Self.cards)
        for model in ["Card", "Slip"] {
            let input = "{id: \"c\", owner: \"ann\", score: 4711, note: \"hidden\", hits: 4711}"
            let made = hub.send("mutation { create\(model)(input: \(input)) { id } }", key: "super")
            #expect(made.errorType == nil)
        }
        return hub
    }

    private func asAnn(
        _ hub: HubFixture, _ mutation: String, _ input: String, _ selection: String, ids: JSONValue? = nil
    ) -> JSONValue {
        let text = "mutation { m: \(mutation)(input: {\(input)}) { \(selection) } }"
        return hub.send(text, key: "counter", person: "ann", ids: ids)
    }

    @Test func whoMayWriteARowIsShownNoFieldWhoseOwnRulesLeaveHimOut() throws {
        let hub = try cards()
        let update = "id: \"c\", text: \"x\", _version: "
        let answer = asAnn(hub, "updateCard", update + "1", "id text score _version", ids: ["m": "u"])
        #expect(answer.result == ["id": "c", "text": "x", "score": nil, "_version": 2])
        #expect(answer.errorMessage == "Not Authorized to access score on type Card")
        #expect(asAnn(hub, "updateCard", update + "1", "id text score _version", ids: ["m": "u"]) == answer, "a retry")
        let stale = asAnn(hub, "updateCard", update + "1", "id score")
        #expect(stale.result == ["id": "c", "score": nil])
        let conflict = asAnn(hub, "updateSlip", update + "9", "id owner score note")
        #expect(conflict.errorType == "ConflictUnhandled")
        #expect(conflict["errors"]?[0]?["data"] == ["id": "c", "owner": "ann", "score": nil, "note": nil])
        let blind = hub.send(
            "mutation { m: updateCard(input: {id: \"c\"}) { id } }", key: "counter", person: "ann",
            operations: ["m": ["hits": ["increment": 1]]])
        #expect(blind.errorMessage == "Not Authorized to access hits on type Card", "its overflow would tell")
        let stored = hub.send("{ getCard(id: \"c\") { text score hits } }", key: "super").result
        #expect(stored == ["text": "x", "score": 4711, "hits": 4711])
    }

    @Test func hisOwnValueOfSuchAFieldIsToldWhereItSaysNothingOfAnother() throws {
        let hub = try cards()
        let made = asAnn(hub, "createCard", "id: \"n\", note: \"mine\"", "owner note score")
        #expect(made["errors"] == nil)
        #expect(made.result == ["owner": "ann", "note": "mine", "score": nil])
        // What a merge leaves tells what was there.
        let merged = ["hidden", "unlike"].map {
            asAnn(hub, "updateCard", "id: \"c\", note: \"\($0)\", _version: 9", "note")
        }
        #expect(merged[0] == merged[1] && merged[0].result == ["note": nil])
        let written = asAnn(hub, "updateCard", "id: \"n\", note: \"new\", _version: 1", "note", ids: ["m": "u"])
        #expect(written == asAnn(hub, "updateCard", "id: \"n\", note: \"new\", _version: 1", "note", ids: ["m": "u"]))
        #expect(written.result == ["note": "new"] && written["errors"] == nil)
        // A retry is told what it says itself, right or wrong.
        for guess in ["new", "wrong"] {
            let again = asAnn(hub, "updateCard", "id: \"n\", note: \"\(guess)\", _version: 1", "note", ids: ["m": "u"])
            #expect(again.result?["note"]?.string == guess)
        }
    }

    @Test func whatIsKeptOfTheMembersOfSuchAFieldIsNotTold() throws {
        let owner = "{ allow: owner, operations: [create, update] }"
        let rules = "@auth(rules: [\(owner), { allow: groups, groups: [\"supervisors\"] }])"
        let schema = try Schema(
            sdl: """
                type Spot { row: Int name: String }
                type Card @model \(rules) { id: ID! owner: String spot: Spot \(rules) }
                """)
        // A member that is as in the base stays as it is stored: only a right guess leaves just what was sent.
        let guesses: [Int64] = [4711, 4712]
        let answers = try guesses.map { (guess: Int64) -> JSONValue in
            let hub = try HubFixture(schema)
            let input = "{id: \"c\", owner: \"ann\", spot: {row: 4711, name: \"old\"}}"
            #expect(hub.send("mutation { createCard(input: \(input)) { id } }", key: "super").errorType == nil)
            let update = "{id: \"c\", spot: {row: \(guess), name: \"new\"}, _version: 1}"
            let base: JSONValue = ["spot": ["row": .integer(guess), "name": "old"]]
            let body: JSONValue = [
                "query": .string("mutation { m: updateCard(input: \(update)) { id spot { row } } }"),
                "extensions": ["bincount": ["bases": ["m": base]]],
            ]
            let answer = try JSONValue(parsing: hub.raw(body.bytes, key: "counter", person: "ann").body)
            let stored = hub.send("{ getCard(id: \"c\") { spot { row name } } }", key: "super").result
            #expect(stored?["spot"] == ["row": 4711, "name": "new"])
            return answer
        }
        #expect(answers[0]["errors"] == answers[1]["errors"] && answers[0].result == answers[1].result)
        #expect(answers[0].result == ["id": "c", "spot": nil])
    }

    @Test func whatAFunctionPutsIntoSuchAFieldIsNotShownToWhoeverMakesTheRecord() throws {
        let hub = try FunctionHub(schema: Self.cards) { try $0.addBefore("Card.create=before") }
        let made = try hub.send(
            FunctionHub.request(
                "mutation { createCard(input: {id: \"1\", note: \"mine\"}) { id owner note score hits } }",
                person: "ann")
        ) { _ in .success(["input": ["id": "1", "owner": "ann", "note": "judged", "score": 4711]]) }
        #expect(made.result == ["id": "1", "owner": "ann", "note": nil, "score": nil, "hits": nil])
        #expect(made["errors"]?.array?.compactMap { $0["path"]?[1]?.string } == ["note", "score"])
    }

    @Test func whoMayOnlyWriteAFieldLearnsNothingOfTheRow() throws {
        let hub = try HubFixture(try Schema(sdl: Self.sample))
        hub.send("mutation { createCard(input: {id: \"1\", text: \"secret\"}) { id } }")
        func send(_ input: String, _ selection: String, ids: JSONValue? = nil) -> JSONValue {
            hub.send(
                "mutation { m: updateCard(input: {id: \"1\", \(input)}) { \(selection) } }", key: "blind",
                device: "T", ids: ids)
        }
        #expect(send("score: 5, _version: 1", "id text").errorType == "Unauthorized")
        #expect(send("score: 5, _version: 1", "id score", ids: ["m": "u"]).result?["score"] == 5)
        #expect(send("score: 5, _version: 1", "id score", ids: ["m": "u"]).result?["score"] == 5)
        #expect(send("score: 5, _version: 1", "id text", ids: ["m": "u"]).errorType == "Unauthorized")
        let stale = send("score: 6, _version: 1", "id score")
        #expect(stale.errorType == "ConflictUnhandled")
        #expect(stale["errors"]?[0]?["data"] == .null)
    }
}
