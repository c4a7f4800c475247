import Basics
import Models
import Testing

@testable import Hub

/// Every strategy in every situation (`appsync-protocol.md` §3.2, §3.3, §3.5).
@Suite struct ConflictStrategyTests {
    /// What a mutation meets.
    struct Situation: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var isDelete = false
        var version: Int64?
        /// Whether the record was deleted before.
        var deleted = false
    }

    /// What comes of it: the record afterwards, or the error with its data.
    enum Outcome: Sendable, Equatable {
        case stored(title: String, version: Int64, deleted: Bool)
        case refused(String, data: String?, version: Int64?)
    }

    /// What handles a conflict.
    struct Strategy: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let model: String
        var reply: JSONValue = .null
        var failure: FunctionFailure?
    }

    static let current = Situation(testDescription: "update on the version", version: 2)
    static let stale = Situation(testDescription: "update on a stale version", version: 1)
    static let missing = Situation(testDescription: "update without a version")
    static let ahead = Situation(testDescription: "update on a version ahead", version: 9)
    static let deletion = Situation(testDescription: "delete on the version", isDelete: true, version: 2)
    static let staleDeletion = Situation(testDescription: "delete on a stale version", isDelete: true, version: 1)
    static let missingDeletion = Situation(testDescription: "delete without a version", isDelete: true)
    static let tombstone = Situation(testDescription: "update of a tombstone", version: 3, deleted: true)
    static let staleTombstone = Situation(testDescription: "stale update of a tombstone", version: 1, deleted: true)
    static let again = Situation(testDescription: "delete of a tombstone", isDelete: true, version: 3, deleted: true)
    static let situations = [
        current, stale, missing, ahead, deletion, staleDeletion, missingDeletion, tombstone, staleTombstone, again,
    ]

    static let automerge = Strategy(testDescription: "automerge", model: "Plain")
    static let optimistic = Strategy(testDescription: "optimistic concurrency", model: "Strict")
    static let resolves = Strategy(
        testDescription: "a function that resolves", model: "Note",
        reply: ["action": "RESOLVE", "item": ["id": "other", "title": "resolved", "_version": 77, "_deleted": true]])
    static let rejects = Strategy(
        testDescription: "a function that rejects", model: "Note", reply: ["action": "REJECT"])
    static let removes = Strategy(
        testDescription: "a function that removes", model: "Note", reply: ["action": "REMOVE"])
    static let babbles = Strategy(testDescription: "a function that answers nonsense", model: "Note", reply: ["yes"])
    static let late = Strategy(testDescription: "a function that takes too long", model: "Note", failure: .timedOut)
    static let broken = Strategy(
        testDescription: "a function that fails", model: "Note", failure: .failed("exit code 1"))
    static let busy = Strategy(testDescription: "a function that is busy", model: "Note", failure: .busy)
    static let strategies = [automerge, optimistic, resolves, rejects, removes, babbles, late, broken, busy]

    static let cases = strategies.flatMap { strategy in situations.map { (strategy, $0) } }

    @Test(arguments: cases)
    func everyStrategyInEverySituation(_ strategy: Strategy, _ situation: Situation) throws {
        let hub = try FunctionHub()
        try hub.prepare(strategy.model, deleted: situation.deleted)
        let before = try hub.stored(strategy.model)
        let (events, asked) = (hub.events.count, hub.asked.count)
        var input: JSONObject = ["id": "1"]
        if let version = situation.version { input["_version"] = .integer(version) }
        if !situation.isDelete { (input["title"], input["body"]) = ("mine", "new") }
        let request =
            situation.isDelete
            ? FunctionHub.delete(strategy.model, .object(input)) : FunctionHub.update(strategy.model, .object(input))
        let json = try hub.send(request) { _ in
            strategy.failure.map { .failure($0) } ?? .success(strategy.reply)
        }

        let expected = Self.expected(strategy, situation)
        let after = try #require(try hub.stored(strategy.model))
        switch expected {
        case .stored(let title, let version, let deleted):
            #expect(json["errors"] == nil)
            #expect(json.result?["title"]?.string == title)
            #expect(json.result?["_version"]?.integer == version)
            #expect(after["title"]?.string == title)
            #expect(after["_version"]?.integer == version)
            #expect(after["_deleted"] == (deleted ? true : .null))
            #expect(hub.events.count == events + 1, "subscribers are told")
        case .refused(let type, let data, let version):
            #expect(json.result == .null)
            #expect(json.errorType == type)
            #expect(json["errors"]?[0]?["data"]?["title"]?.string == data)
            #expect(json["errors"]?[0]?["data"]?["_version"]?.integer == version)
            #expect(json["errors"]?[0]?["path"] == ["m"])
            #expect(after == before, "nothing is stored")
            #expect(hub.events.count == events, "nobody is told")
        }
        let isConflict = situation.version != (situation.deleted ? 3 : 2)
        let asks = strategy.model == "Note" && isConflict && !situation.deleted
        #expect(hub.asked.count == asked + (asks ? 1 : 0), "only a conflict of a living record is asked about")
        #expect(hub.core.room.isEmpty && hub.core.suspended.isEmpty, "nothing is left waiting")
    }

    static func expected(_ strategy: Strategy, _ situation: Situation) -> Outcome {
        if situation.deleted { return .refused("ConflictUnhandled", data: "theirs", version: 3) }
        let refused = Outcome.refused("ConflictUnhandled", data: "theirs", version: 2)
        // A function that does not decide leaves no record that a client would take for its own.
        let failed = Outcome.refused("ConflictError", data: nil, version: nil)
        if situation.version == 2 {
            return situation.isDelete
                ? .stored(title: "theirs", version: 3, deleted: true)
                : .stored(title: "mine", version: 3, deleted: false)
        }
        switch strategy.testDescription {
        case automerge.testDescription:
            return situation.isDelete ? refused : .stored(title: "theirs", version: 3, deleted: false)
        case resolves.testDescription:
            return situation.isDelete ? failed : .stored(title: "resolved", version: 3, deleted: false)
        case removes.testDescription:
            return situation.isDelete ? .stored(title: "theirs", version: 3, deleted: true) : failed
        case optimistic.testDescription, rejects.testDescription: return refused
        default: return failed
        }
    }

    @Test func theMessageSaysWhyAFunctionDidNotDecide() throws {
        let update = FunctionHub.update("Note", ["id": "1", "title": "mine", "_version": 1])
        let texts: [(FunctionOutcome, String, String?)] = [
            (.success(["action": "REJECT"]), "Conflict resolver rejects mutation.", nil),
            (
                .failure(.timedOut),
                "The conflict was not resolved, the conflict handler decide took too long; nothing was stored.",
                "ConflictError"
            ),
            (
                .failure(.failed("exit code 3: no database")),
                "The conflict was not resolved, the conflict handler decide failed: exit code 3: no database; "
                    + "nothing was stored.", "ConflictError"
            ),
            (
                .success(["action": "REMOVE"]),
                "The conflict was not resolved, the conflict handler decide gave an answer that cannot be used: REMOVE "
                    + "answers a delete, this is an update; nothing was stored.", "ConflictError"
            ),
            (
                .success(["action": "RESOLVE", "item": ["title": 5]]),
                "The conflict was not resolved, the conflict handler decide gave an answer that cannot be used: "
                    + "Note.title: 5 is not a valid String; nothing was stored.", "ConflictError"
            ),
            (
                .success(["action": "RESOLVE", "item": ["body": "no title"]]),
                "The conflict was not resolved, the conflict handler decide gave an answer that cannot be used: the item "
                    + "has no title; nothing was stored.", "ConflictError"
            ),
            (
                .success(["action": "RESOLVE", "item": ["title": "t", "tilte": "t"]]),
                "The conflict was not resolved, the conflict handler decide gave an answer that cannot be used: Note has "
                    + "no field tilte; nothing was stored.", "ConflictError"
            ),
        ]
        for (outcome, text, kind) in texts {
            let hub = try FunctionHub()
            try hub.prepare("Note")
            let json = try hub.send(update) { _ in outcome }
            #expect(json.errorMessage == text)
            #expect(json.errorType == kind ?? "ConflictUnhandled")
            // Only a conflict brings the record along that clients take instead of their own.
            #expect((json["errors"]?[0]?["data"] ?? .null).isNull == (kind != nil))
        }
    }

    @Test func aResolutionTakesTheRecordsPlaceWhole() throws {
        let hub = try FunctionHub()
        _ = try hub.send(
            FunctionHub.create("Note", ["id": "1", "title": "a", "body": "b", "tags": ["x"], "amount": .number("1.5")]))
        let created = try hub.send(FunctionHub.request("{ getNote(id: \"1\") { createdAt } }")).result
        let json = try hub.send(
            FunctionHub.update(
                "Note", ["id": "1", "title": "mine", "_version": 9],
                fields: "id title body tags amount meta spot { row more } createdAt")
        ) { _ in
            .success([
                "action": "RESOLVE",
                "item": [
                    "__typename": "Note", "title": "merged", "amount": .number("2.125"),
                    "meta": ["a": [1, 2]], "spot": ["row": 4, "more": ["deep": true]],
                ],
            ])
        }
        let note = json.result
        #expect(note?["title"] == "merged")
        #expect(note?["body"] == .null, "what the item leaves out is gone")
        #expect(note?["tags"] == .null)
        #expect(note?["amount"] == .number("2.125"))
        #expect(note?["meta"] == "{\"a\":[1,2]}")
        #expect(note?["spot"]?["more"] == "{\"deep\":true}")
        #expect(note?["createdAt"] == created?["createdAt"], "but what the service keeps stays")
    }

    @Test func aFunctionIsGivenAppSyncsPayload() throws {
        let hub = try FunctionHub()
        _ = try hub.send(
            FunctionHub.create(
                "Note",
                [
                    "id": "1", "title": "theirs", "tags": ["a"], "meta": "{\"k\":[1]}",
                    "dueAt": "2026-01-02T03:04:05.000Z",
                ])
        )
        let ticket = try hub.wait(
            FunctionHub.request(
                """
                mutation M($i: UpdateNoteInput!) { m: updateNote(input: $i, condition: {title: {ne: "x"}}) { id } }
                """,
                ["i": ["id": "1", "title": "mine", "meta": "{\"k\":[2]}", "tags": .null, "_version": 4]], person: "P7"))
        let payload = try #require(hub.asked.last)
        #expect(payload.object?.keys == ["newItem", "existingItem", "arguments", "resolver", "identity", "caller"])
        let existing = payload["existingItem"]
        #expect(existing?["title"] == "theirs")
        #expect(existing?["meta"] == ["k": [1]], "AWSJSON is opened, as resolvers see it")
        #expect(existing?["dueAt"] == "2026-01-02T03:04:05.000Z")
        #expect(existing?["_version"] == 1)
        #expect(existing?["_deleted"] == false)
        #expect(existing?["_lastChangedAt"]?.integer != nil)
        #expect(existing?["body"] == nil, "what is null is not there")
        let new = payload["newItem"]
        #expect(new?["title"] == "mine")
        #expect(new?["dueAt"] == "2026-01-02T03:04:05.000Z", "what would have been stored is the whole record")
        #expect(new?["tags"] == nil)
        #expect(new?["meta"] == ["k": [2]])
        #expect(new?["_version"] == 4)
        #expect(
            payload["arguments"]
                == [
                    "input": ["id": "1", "title": "mine", "meta": ["k": [2]], "tags": .null, "_version": 4],
                    "condition": ["title": ["ne": "x"]],
                ])
        #expect(payload["resolver"]?["parentType"] == "Mutation")
        #expect(payload["resolver"]?["field"] == "updateNote")
        #expect(payload["resolver"]?["tableName"] == "Note")
        #expect(payload["identity"]?["sub"] == "P7")
        #expect(payload["caller"]?["device"] == "T1")
        try hub.answer(["action": "REJECT"])
        #expect(hub.finished[ticket]?.errorType == "ConflictUnhandled")

        _ = try hub.wait(FunctionHub.delete("Note", ["id": "1", "_version": 4]))
        let deletion = try #require(hub.asked.last)
        #expect(deletion["newItem"]?["_deleted"] == true)
        #expect(deletion["resolver"]?["field"] == "deleteNote")
        #expect(deletion["identity"] == .null, "an API key that names no person has no identity")
        try hub.answer(["action": "REMOVE"])
        #expect(try hub.stored("Note")?["_deleted"] == true)
    }

    @Test func aFunctionIsNotAskedForThoseWhoMayNot() throws {
        let hub = try FunctionHub()
        let diary = "mutation { createDiary(input: {id: \"1\", title: \"mine\"}) { id } }"
        _ = try hub.send(FunctionHub.request(diary, person: "ann"))
        let stranger = try hub.send(
            FunctionHub.request("mutation { m: updateDiary(input: {id: \"1\", title: \"x\"}) { id } }", person: "bob"))
        #expect(stranger.errorType == "Unauthorized")
        #expect(hub.asked.isEmpty)
        _ = try hub.wait(
            FunctionHub.request("mutation { m: updateDiary(input: {id: \"1\", title: \"x\"}) { id } }", person: "ann"))
        #expect(hub.asked.count == 1)
    }

    @Test func operationsThatCommuteAskNobody() throws {
        let hub = try FunctionHub()
        _ = try hub.send(FunctionHub.create("Note", ["id": "1", "title": "a", "hits": 1]))
        let add = "mutation { m: updateNote(input: {id: \"1\"}) { hits } }"
        let json = try hub.send(FunctionHub.request(add, operations: ["m": ["hits": ["increment": 4]]]))
        #expect(json.result?["hits"] == 5)
        #expect(hub.asked.isEmpty)
    }

    @Test func theAPIsStrategyHoldsForModelsThatDeclareNone() throws {
        for (strategy, asks, refuses) in [
            (ConflictStrategy.automerge, 0, false), (.optimisticConcurrency, 0, true), (.lambda, 1, true),
        ] {
            let hub = try FunctionHub {
                $0.defaultStrategy = strategy
                try $0.addConflictHandler("*=decide")
            }
            try hub.prepare("Plain")
            let json = try hub.send(FunctionHub.update("Plain", ["id": "1", "title": "mine"])) { _ in
                .success(["action": "REJECT"])
            }
            #expect(hub.asked.count == asks)
            #expect((json.errorType == "ConflictUnhandled") == refuses)
            try hub.prepare("Strict")
            let strict = try hub.send(FunctionHub.update("Strict", ["id": "1", "title": "mine"]))
            #expect(strict.errorType == "ConflictUnhandled", "what a model declares stays")
        }
    }

    @Test func aHubSaysAtOnceWhatIsMissingOrDoesNotFit() throws {
        func problem(_ configure: (inout ResolverOptions) throws -> Void) -> String? {
            do {
                _ = try FunctionHub(configure)
                return nil
            } catch { return "\(error)" }
        }
        #expect(problem { _ in }?.hasPrefix("Note: its conflicts are decided by a function (LAMBDA), and none") == true)
        #expect(problem { try $0.addConflictHandler("*=decide") } == nil)
        #expect(problem { try $0.addConflictHandler("Note=decide") }?.hasPrefix("Diary: its conflicts") == true)
        #expect(
            problem { try $0.addConflictHandler("*=nobody") }?.contains("the function nobody, which is not") == true)
        #expect(
            problem {
                try $0.addConflictHandler("*=decide")
                try $0.addConflictHandler("Plain=decide")
            }?.hasPrefix("Plain has a conflict handler but its strategy is AUTOMERGE") == true)
        #expect(
            problem {
                try $0.addConflictHandler("*=decide")
                try $0.addConflictHandler("Nope=decide")
            }?.contains("the model Nope, which the schema does not have") == true)
        for wrong in ["Nope.create=before", "Note.creates=before", "Note=before"] {
            #expect(
                problem {
                    try $0.addConflictHandler("*=decide")
                    try $0.addBefore(wrong)
                }?.hasPrefix("--before") == true, "\(wrong)")
        }
        var options = ResolverOptions()
        for wrong in ["decide", "=decide", "Note="] {
            #expect(throws: HubError.self) { try options.addConflictHandler(wrong) }
        }
        try options.addAfter("Note.*=a")
        #expect(throws: HubError.self) { try options.addAfter("Note.*=b") }
    }
}
