import Basics
import Models
import SQLite
import Testing

@testable import Hub

/// Functions before and after mutations.
@Suite struct ResolverTests {
    private static func before(_ operation: String) -> (inout ResolverOptions) throws -> Void {
        { options in
            try options.addConflictHandler("*=decide")
            try options.addBefore("Plain.\(operation)=before")
            try options.addBefore("Diary.\(operation)=before")
        }
    }

    @Test func aFunctionBeforeACreateMayChangeTheInput() throws {
        let hub = try FunctionHub(Self.before("create"))
        let json = try hub.send(
            FunctionHub.request(
                "mutation { createPlain(input: {title: \"given\"}) { id title body _version } }", person: "ann")
        ) { event in
            #expect(event["stage"] == "before")
            #expect(event["typeName"] == "Mutation")
            #expect(event["fieldName"] == "createPlain")
            #expect(event["model"] == "Plain")
            #expect(event["operation"] == "create")
            #expect(event["arguments"]?["input"]?["title"] == "given")
            #expect(event["arguments"]?["input"]?["id"]?.string?.count == 36, "the id that it is going to have")
            #expect(event["existingItem"] == .null)
            #expect(event["identity"]?["username"] == "ann")
            return .success(["input": ["title": "changed", "body": "added", "id": "ignored", "_version": 9]])
        }
        #expect(json.result?["title"] == "changed")
        #expect(json.result?["body"] == "added")
        #expect(json.result?["_version"] == 1)
        #expect(json.result?["id"] == hub.asked[0]["arguments"]?["input"]?["id"])
    }

    @Test func aFunctionMayRefuseWithItsOwnWords() throws {
        for (operation, request) in [
            ("create", FunctionHub.create("Plain", ["id": "2", "title": "x"])),
            ("update", FunctionHub.update("Plain", ["id": "1", "title": "x", "_version": 2])),
            ("delete", FunctionHub.delete("Plain", ["id": "1", "_version": 2])),
        ] {
            let hub = try FunctionHub(Self.before(operation))
            // What prepares the record asks too, and is let through.
            try hub.prepare("Plain")
            let events = hub.events.count
            let json = try hub.send(request) { event in
                #expect(event["operation"]?.string == operation)
                #expect((event["existingItem"] == .null) == (operation == "create"))
                return .success([
                    "errorMessage": "The bin is locked.", "errorType": "BinLocked", "errorInfo": ["until": "noon"],
                ])
            }
            #expect(json.errorMessage == "The bin is locked.")
            #expect(json.errorType == "BinLocked")
            #expect(json["errors"]?[0]?["errorInfo"] == ["until": "noon"])
            #expect(hub.events.count == events)
        }
    }

    @Test func aFunctionThatFailsRefusesForNow() throws {
        let failures: [(FunctionOutcome, String)] = [
            (.failure(.timedOut), "Lambda:ExecutionTimeoutException"),
            (.failure(.failed("exit code 2")), "Lambda:Unhandled"),
            (.success([1, 2]), "Lambda:Unhandled"), (.success(["inputs": ["title": "x"]]), "Lambda:Unhandled"),
            (.success(["input": ["nope": 1]]), "Lambda:Unhandled"),
            (.success(["input": ["title": .null]]), "Lambda:Unhandled"),
        ]
        for (failure, kind) in failures {
            let hub = try FunctionHub(Self.before("create"))
            let json = try hub.send(FunctionHub.create("Plain", ["id": "1", "title": "x"])) { _ in failure }
            #expect(json.errorType == "InternalFailure", "which clients send again")
            #expect(json["errors"]?[0]?["errorInfo"]?["errorType"]?.string == kind)
            #expect(json["errors"]?[0]?["errorInfo"]?["function"] == "before")
            #expect(hub.events.isEmpty)
        }
    }

    @Test func whatAFunctionSetsNeedsNotTheCallersRights() throws {
        let hub = try FunctionHub(Self.before("*"))
        let request = FunctionHub.request(
            "mutation { m: createDiary(input: {id: \"1\", title: \"t\"}) { id author } }", person: "ann")
        let json = try hub.send(request) { _ in .success(["input": ["author": "the archive"]]) }
        #expect(json["errors"] == nil)
        let stored = try hub.connection.value("SELECT author FROM Diary")
        #expect(stored == .text("the archive"))
        // But the caller's own input does.
        let foreign = FunctionHub.request(
            "mutation { m: createDiary(input: {id: \"2\", author: \"bob\"}) { id } }", person: "ann")
        let asked = hub.asked.count
        #expect(try hub.send(foreign).errorType == "Unauthorized")
        #expect(hub.asked.count == asked, "and nobody is asked about what is not allowed")
    }

    @Test func `nor does it where a handler decides, which is told what the function has set`() throws {
        let hub = try FunctionHub(Self.before("update"))
        func send(_ mutation: String) throws -> JSONValue {
            try hub.send(FunctionHub.request("mutation { m: \(mutation) { author title _version } }", person: "ann")) {
                $0["stage"] == "before"
                    ? .success(["input": ["author": "the archive"]])
                    : .success(["action": "RESOLVE", "item": $0["newItem"] ?? .null])
            }
        }
        #expect(try send("createDiary(input: {id: \"1\", title: \"a\"})").result?["author"] == "ann")
        // What he himself would do still needs his rights, and no handler is asked about it.
        let handed = try send("updateDiary(input: {id: \"1\", author: \"bob\"})")
        #expect(handed.errorType == "Unauthorized")
        #expect(hub.asked.allSatisfy { $0["stage"] == "before" })
        let stale = try send("updateDiary(input: {id: \"1\", title: \"b\"})")
        #expect(stale["errors"] == nil, "\(stale)")
        #expect(hub.asked.last?["newItem"]?["author"] == "the archive")
        #expect(try hub.connection.value("SELECT author||title FROM Diary") == .text("the archiveb"))
    }

    @Test func aFunctionIsAskedAgainWhereTheRecordChanged() throws {
        let hub = try FunctionHub(Self.before("update"))
        try hub.prepare("Plain")
        let asked = hub.asked.count
        let ticket = try hub.wait(FunctionHub.update("Plain", ["id": "1", "title": "a", "_version": 2]))
        let other = try hub.wait(FunctionHub.update("Plain", ["id": "1", "title": "b", "_version": 2]))
        try hub.answer(.null)
        #expect(hub.finished[ticket]?.result?["_version"] == 3)
        try hub.answer(.null)
        #expect(hub.finished[other] == nil)
        #expect(hub.asked.last?["existingItem"]?["title"] == "a")
        try hub.answer(["input": ["body": "seen"]])
        #expect(hub.finished[other]?.result?["title"] == "a", "stale by now: automerge keeps what is there")
        #expect(hub.finished[other]?.result?["body"] == "seen")
        #expect(hub.asked.count == asked + 3)
    }

    @Test func `what the function puts in holds for operations too, which no version is stale for`() throws {
        let hub = try FunctionHub {
            try $0.addConflictHandler("*=decide")
            try $0.addBefore("Note.update=before")
        }
        try hub.prepare("Note")
        let request = FunctionHub.request(
            "mutation { m: updateNote(input: {id: \"1\", _version: 1}) { hits body _version } }",
            operations: ["m": ["hits": ["increment": 2]]])
        let json = try hub.send(request) { event in
            #expect(event["existingItem"]?["_version"] == 2)
            return .success(["input": ["body": "checked"]])
        }
        #expect(json.result == ["hits": 2, "body": "checked", "_version": 3])
    }

    @Test func firstTheFunctionBeforeThenTheConflict() throws {
        let hub = try FunctionHub {
            try $0.addConflictHandler("*=decide")
            try $0.addBefore("Note.update=before")
        }
        try hub.prepare("Note")
        let ticket = try hub.wait(FunctionHub.update("Note", ["id": "1", "title": "mine", "_version": 1]))
        #expect(hub.calls.map(\.function) == ["before"])
        try hub.answer(["input": ["body": "stamped"]])
        #expect(hub.calls.map(\.function) == ["decide"])
        #expect(hub.asked.last?["newItem"]?["body"] == "stamped")
        #expect(hub.asked.last?["arguments"]?["input"]?["body"] == "stamped")
        try hub.answer(["action": "RESOLVE", "item": ["title": "both", "body": "stamped"]])
        #expect(hub.finished[ticket]?.result?["title"] == "both")
        #expect(hub.finished[ticket]?.result?["body"] == "stamped")
    }

    // MARK: After

    private static let after: @Sendable (inout ResolverOptions) throws -> Void = { options in
        try options.addConflictHandler("*=decide")
        try options.addAfter("Plain.*=after")
    }

    private func waiting(_ hub: FunctionHub) throws -> Int64 {
        try hub.connection.value("SELECT count(*) FROM _deliveries")?.integer ?? -1
    }

    @Test func aFunctionAfterAMutationGetsWhatWasCommitted() throws {
        let hub = try FunctionHub(Self.after)
        let (ticket, answer) = hub.begin(FunctionHub.create("Plain", ["id": "1", "title": "a"]))
        #expect(ticket == nil, "nobody waits for it")
        #expect(answer?.result?["_version"] == 1)
        #expect(hub.calls.map(\.function) == ["after"])
        let event = hub.asked[0]
        #expect(event["stage"] == "after")
        #expect(event["result"]?["title"] == "a")
        #expect(event["result"]?["_version"] == 1)
        #expect(event["previous"] == .null)
        let stamp = try #require(event["result"]?["_lastChangedAt"]?.integer)
        #expect(event["delivery"]?.string == "\(hub.core.epoch)/\(stamp)/1", "it ends in the number that people see")
        #expect(try waiting(hub) == 1)
        try hub.answer(["whatever": "it says"])
        #expect(try waiting(hub) == 0)
        #expect(try hub.stored("Plain")?["title"] == "a")

        _ = hub.begin(FunctionHub.update("Plain", ["id": "1", "title": "b", "_version": 1]))
        #expect(hub.asked[1]["previous"]?["title"] == "a")
        try hub.answer(.null)
        _ = hub.begin(FunctionHub.delete("Plain", ["id": "1", "_version": 2]))
        #expect(hub.asked[2]["result"]?["_deleted"] == true)
        #expect(hub.asked[2]["operation"] == "delete")
    }

    @Test func onlyWhatWasCommittedIsDeliveredAndEachOnce() throws {
        let hub = try FunctionHub(Self.after)
        let twice =
            "mutation { a: createPlain(input: {id: \"1\", title: \"a\"}) { id } b: createPlain(input: {id: \"1\", title: \"b\"}) { id } }"
        _ = hub.begin(FunctionHub.request(twice, atomic: [["a", "b"]]))
        #expect(hub.calls.isEmpty, "a unit that was undone")
        _ = hub.begin(FunctionHub.request(twice, ids: ["a": "x", "b": "y"]))
        #expect(hub.calls.count == 1, "b was refused")
        _ = hub.begin(FunctionHub.request(twice, ids: ["a": "x", "b": "y"]))
        #expect(hub.calls.count == 1, "a was answered from what was stored")
        #expect(try waiting(hub) == 1)
    }

    @Test func `no delivery has the name of another, though a new record takes the row of one that is forgotten`()
        throws
    {
        let hub = try FunctionHub(Self.after)
        func row() throws -> Value? { try hub.connection.value("SELECT max(_row) FROM Plain") }
        for id in ["1", "2"] { _ = try hub.send(FunctionHub.create("Plain", ["id": .string(id), "title": "a"])) }
        let last = try row()
        _ = try hub.send(FunctionHub.delete("Plain", ["id": "2", "_version": 1]))
        while !hub.calls.isEmpty { hub.answerAll(.null) }
        hub.time.advance(milliseconds: HubCore.horizon + 1)
        while try hub.core.prune() {}
        _ = try hub.send(FunctionHub.create("Plain", ["id": "3", "title": "b"]))
        #expect(try row() == last)
        // In one commit, too.
        hub.turn([
            FunctionHub.update("Plain", ["id": "3", "title": "c", "_version": 1]),
            FunctionHub.update("Plain", ["id": "1", "title": "d", "_version": 1]),
        ])
        while !hub.calls.isEmpty { hub.answerAll(.null) }
        let names = hub.asked.compactMap { $0["delivery"]?.string }
        #expect(names.count == 6)
        #expect(Set(names).count == 6, "\(names)")
    }

    @Test func aDeliveryOutlivesTheHub() throws {
        let hub = try FunctionHub(Self.after)
        _ = hub.begin(FunctionHub.create("Plain", ["id": "1", "title": "a"]))
        // The call is lost with the hub; nobody knows whether the function had it.
        let next = try FunctionHub(connection: hub.connection, time: hub.time, Self.after)
        next.turn([])
        #expect(next.calls.count == 1)
        #expect(next.asked == hub.asked)
    }

    @Test func aFailedDeliveryIsTriedAgainAndAtLastParkedWhereAPersonSeesIt() throws {
        let hub = try FunctionHub(Self.after)
        _ = hub.begin(FunctionHub.create("Plain", ["id": "1", "title": "a"]))
        var tries = 0
        while !hub.calls.isEmpty {
            tries += 1
            try hub.fail(.unreachable("nobody answers"))
            hub.time.advance(milliseconds: 3_600_000)
            hub.core.tick()
            hub.turn([])
        }
        #expect(tries == 8)
        hub.core.tick()
        #expect(hub.core.statistics.deliveriesParked == 1)
        #expect(hub.core.statistics.deliveriesWaiting == 0)
        let reason = try hub.connection.value("SELECT reason FROM _deliveries WHERE parked=1")
        #expect(reason == .text("could not be called: nobody answers"))

        // Others go on, and the next start may try it again.
        _ = hub.begin(FunctionHub.create("Plain", ["id": "2", "title": "b"]))
        try hub.answer(.null)
        #expect(hub.core.statistics.deliveries == 1)
        let next = try FunctionHub(connection: hub.connection, time: hub.time) {
            try Self.after(&$0)
            $0.retriesParked = true
        }
        next.turn([])
        try next.answer(.null)
        #expect(try waiting(next) == 0)
    }

    @Test func ofOneRecordTheNextGoesOutOnlyAfterTheOneBefore() throws {
        let hub = try FunctionHub(Self.after)
        hub.turn([
            FunctionHub.create("Plain", ["id": "1", "title": "a"]),
            FunctionHub.update("Plain", ["id": "1", "title": "b", "_version": 1]),
            FunctionHub.create("Plain", ["id": "2", "title": "c"]),
        ])
        #expect(hub.asked.map { $0["result"]?["title"]?.string } == ["a", "c"])
        try hub.answer(.null)
        #expect(hub.asked.last?["result"]?["title"] == "b")
    }

    @Test func oneRecordWithManyDeliveriesHoldsUpNoOther() throws {
        let hub = try FunctionHub(Self.after)
        let many = 300
        hub.turn(
            [FunctionHub.create("Plain", ["id": "1", "title": "a"])]
                + (1..<many).map {
                    FunctionHub.update("Plain", ["id": "1", "title": "b", "_version": .integer(Int64($0))])
                })
        try hub.fail(.unreachable("nobody answers"))
        _ = hub.begin(FunctionHub.create("Plain", ["id": "2", "title": "c"]))
        #expect(hub.asked.compactMap { $0["result"]?["id"]?.string } == ["1", "2"])
        // Those of the record itself come each after the one before, however many wait.
        hub.time.advance(milliseconds: 1_000)
        hub.core.tick()
        hub.turn([])
        while !hub.calls.isEmpty { try hub.answer(.null) }
        let versions = hub.asked.filter { $0["result"]?["id"] == "1" }.compactMap { $0["result"]?["_version"]?.integer }
        #expect(versions == [1] + (1...Int64(many)))
        #expect(try waiting(hub) == 0)
    }

    @Test func aDeliveryWhoseEndCannotBeWrittenIsNotTakenForTheNextOfItsRecord() throws {
        let hub = try FunctionHub(Self.after)
        hub.turn([
            FunctionHub.create("Plain", ["id": "1", "title": "a"]),
            FunctionHub.update("Plain", ["id": "1", "title": "b", "_version": 1]),
            FunctionHub.update("Plain", ["id": "1", "title": "c", "_version": 2]),
        ])
        try hub.connection.execute("PRAGMA query_only = 1")
        try hub.answer(.null)
        try hub.answer(.null)
        try hub.connection.execute("PRAGMA query_only = 0")
        try hub.answer(.null)
        #expect(hub.asked.map { $0["result"]?["title"]?.string } == ["a", "b", "c"])
        #expect(try waiting(hub) == 0)
    }

    @Test func aDeliveryWhoseEndCannotBeWrittenIsWrittenLater() throws {
        let hub = try FunctionHub(Self.after)
        _ = hub.begin(FunctionHub.create("Plain", ["id": "1", "title": "a"]))
        try hub.connection.execute("PRAGMA query_only = 1")
        try hub.answer(.null)
        #expect(hub.core.hasWork)
        try hub.connection.execute("PRAGMA query_only = 0")
        #expect(try waiting(hub) == 1)
        hub.turn([])
        #expect(try waiting(hub) == 0)
        #expect(!hub.core.hasWork)
    }
}
