import Basics
import Testing

@testable import Hub

/// Mutations that wait for a function, among others that do not.
@Suite struct WaitingTests {
    private static let mine: JSONValue = ["id": "1", "title": "mine", "_version": 1]
    private static let reject: JSONValue = ["action": "REJECT"]

    private static func resolve(_ title: String) -> JSONValue {
        ["action": "RESOLVE", "item": ["title": .string(title)]]
    }

    @Test func othersCommitWhileOneWaits() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let events = hub.events.count
        let outcome = hub.turn([
            FunctionHub.create("Plain", ["id": "a", "title": "before"]), FunctionHub.update("Note", Self.mine),
            FunctionHub.create("Plain", ["id": "b", "title": "behind"]),
        ])
        #expect(outcome.answers.map { $0 != nil } == [true, false, true])
        #expect(outcome.events.map(\.modelName) == ["Plain", "Plain"])
        #expect(hub.events.count == events + 2)
        try hub.answer(Self.resolve("both"))
        #expect(hub.finished[try #require(outcome.tickets[1])]?.result?["title"] == "both")
        #expect(hub.events.last?.modelName == "Note")
    }

    @Test func inOneRequestOnlyWhatConcernsTheSameRecordWaits() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let events = hub.events.count
        let ticket = try hub.wait(
            FunctionHub.request(
                """
                mutation {
                  a: createPlain(input: {id: "p", title: "a"}) { id }
                  b: updateNote(input: {id: "1", title: "mine", _version: 1}) { title _version }
                  c: updateNote(input: {id: "1", title: "after", _version: 3}) { title _version }
                  d: createNote(input: {id: "2", title: "d"}) { title }
                }
                """))
        #expect(hub.events.dropFirst(events).map(\.modelName) == ["Plain", "Note"], "a and d are committed")
        #expect(hub.asked.count == 1)
        try hub.answer(Self.resolve("both"))
        let data = hub.finished[ticket]?["data"]
        #expect(data?["a"]?["id"] == "p")
        #expect(data?["b"] == ["title": "both", "_version": 3])
        #expect(data?["c"] == ["title": "after", "_version": 4], "in the order in which they stand")
        #expect(data?["d"]?["title"] == "d")
        #expect(data?.object?.keys == ["a", "b", "c", "d"])
    }

    @Test func aResolutionHoldsOnlyForTheVersionThatWasSeen() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let ticket = try hub.wait(FunctionHub.update("Note", Self.mine))
        let quick = try hub.send(FunctionHub.update("Note", ["id": "1", "title": "quick", "_version": 2]))
        #expect(quick.result?["_version"] == 3, "another is not held up")
        try hub.answer(Self.resolve("of an old record"))
        #expect(hub.finished[ticket] == nil)
        #expect(hub.asked.count == 2)
        #expect(hub.asked[1]["existingItem"]?["title"] == "quick")
        try hub.answer(Self.resolve("of the new one"))
        #expect(
            hub.finished[ticket]?.result == [
                "__typename": "Note", "id": "1", "title": "of the new one",
                "body": .null, "_version": 4, "_deleted": .null,
            ])
    }

    @Test func aRecordThatKeepsChangingIsAConflictAtLast() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let ticket = try hub.wait(FunctionHub.update("Note", Self.mine))
        for version in 2...6 {
            _ = try hub.send(
                FunctionHub.request(
                    "mutation M($v: Int) { updateNote(input: {id: \"1\", title: \"quick\", _version: $v}) { id } }",
                    ["v": .integer(Int64(version))]))
            #expect(hub.finished[ticket] == nil)
            try hub.answer(Self.resolve("too late"))
        }
        let json = try #require(hub.finished[ticket])
        #expect(json.errorType == "MaxConflicts")
        #expect(json.errorMessage?.contains("decided 5 times, and each time the record had changed") == true)
        #expect(hub.asked.count == 5)
        #expect(hub.core.room.isEmpty)
    }

    @Test func aRecordDeletedMeanwhileIsAConflict() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let ticket = try hub.wait(FunctionHub.update("Note", Self.mine))
        _ = try hub.send(FunctionHub.delete("Note", ["id": "1", "_version": 2]))
        try hub.answer(Self.resolve("back from the dead"))
        #expect(hub.finished[ticket]?.errorType == "ConflictUnhandled")
        #expect(hub.finished[ticket]?["errors"]?[0]?["data"]?["_deleted"] == true)
    }

    @Test func aStaleMutationThatFitsAfterAllNeedsNoFunction() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let ticket = try hub.wait(FunctionHub.update("Note", ["id": "1", "title": "mine", "_version": 3]))
        _ = try hub.send(FunctionHub.update("Note", ["id": "1", "title": "quick", "_version": 2]))
        try hub.answer(Self.reject)
        #expect(hub.finished[ticket]?.result?["title"] == "mine")
    }

    // MARK: Mutation ids

    @Test func aRetryWhileTheFunctionRunsJoinsIt() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let events = hub.events.count
        let first = try hub.wait(FunctionHub.update("Note", Self.mine, ids: ["m": "u-1"]))
        let retry = try hub.wait(
            FunctionHub.request(
                "mutation M($i: UpdateNoteInput!) { again: updateNote(input: $i) { title } }", ["i": Self.mine],
                ids: ["again": "u-1"]))
        #expect(hub.asked.count == 1, "the function runs once")
        try hub.answer(Self.resolve("once"))
        #expect(hub.finished[first]?.result?["_version"] == 3)
        #expect(
            hub.finished[retry]
                == hub.finished[retry].flatMap { _ in
                    ["data": ["again": ["title": "once"]], "extensions": hub.finished[first]?["extensions"] ?? .null]
                })
        #expect(hub.events.count == events + 1, "and it is applied once")
        let later = try hub.send(FunctionHub.update("Note", Self.mine, ids: ["m": "u-1"]))
        #expect(later == hub.finished[first], "as is a retry that comes later")
        #expect(hub.asked.count == 1)
    }

    @Test func aRetryTakesOverTheRefusal() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let first = try hub.wait(FunctionHub.update("Note", Self.mine, ids: ["m": "u-1"]))
        let retry = try hub.wait(
            FunctionHub.request(
                "mutation M($i: UpdateNoteInput!) { again: updateNote(input: $i) { title } }", ["i": Self.mine],
                ids: ["again": "u-1"]))
        try hub.fail(.timedOut)
        #expect(hub.finished[first]?.errorType == "ConflictError")
        #expect(hub.finished[retry]?.errorType == "ConflictError")
        #expect(hub.finished[retry]?["errors"]?[0]?["path"] == ["again"])
        #expect(hub.asked.count == 1)
        #expect(hub.core.room.isEmpty && hub.core.suspended.isEmpty)
    }

    @Test func theSameIdTwiceInOneTurnAsksOnce() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let request = FunctionHub.update("Note", Self.mine, ids: ["m": "u-1"])
        let outcome = hub.turn([request, request])
        #expect(hub.asked.count == 1)
        try hub.answer(Self.resolve("once"))
        let tickets = outcome.tickets.compactMap { $0 }
        #expect(tickets.count == 2)
        #expect(hub.finished[tickets[0]] == hub.finished[tickets[1]])
    }

    @Test func aRetryWithSomethingOfItsOwnIsAnsweredThoughBothAreDecidedInOneTurn() throws {
        for (answer, refused) in [(Self.resolve("once"), false), (Self.reject, true)] {
            let hub = try FunctionHub()
            try hub.prepare("Note")
            _ = try hub.send(FunctionHub.create("Note", ["id": "2", "title": "first"]))
            _ = try hub.send(FunctionHub.update("Note", ["id": "2", "title": "theirs", "_version": 1]))
            let first = try hub.wait(FunctionHub.update("Note", Self.mine, ids: ["m": "u-1"]))
            let more = try hub.wait(
                FunctionHub.request(
                    """
                    mutation M($i: UpdateNoteInput!) {
                      again: updateNote(input: $i) { title }
                      own: updateNote(input: {id: "2", title: "mine", _version: 1}) { title }
                    }
                    """, ["i": Self.mine], ids: ["again": "u-1", "own": "u-2"]))
            #expect(hub.asked.count == 2, "the retry joins, what is its own asks")
            hub.answerAll(answer)
            #expect((hub.finished[first]?["errors"] != nil) == refused)
            let json = try #require(hub.finished[more])
            #expect(json["errors"]?.array?.count == (refused ? 2 : nil))
            #expect(json["data"]?["again"] == (refused ? .null : ["title": "once"]))
            #expect(hub.asked.count == 2, "the function runs once")
            #expect(hub.core.room.isEmpty && hub.core.suspended.isEmpty)
        }
    }

    @Test func anotherDevicesIdJoinsNothing() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        _ = try hub.wait(FunctionHub.update("Note", Self.mine, ids: ["m": "u-1"]))
        _ = try hub.wait(
            FunctionHub.request(
                "mutation M($i: UpdateNoteInput!) { m: updateNote(input: $i) { title } }", ["i": Self.mine],
                ids: ["m": "u-1"], device: "T2"))
        #expect(hub.asked.count == 2)
    }

    // MARK: Units

    private static let unit = """
        mutation {
          a: createPlain(input: {id: "p", title: "a"}) { id }
          b: updateNote(input: {id: "1", title: "mine", _version: 1}) { title }
          c: createPlain(input: {id: "q", title: "c"}) { id }
        }
        """

    @Test func aUnitWaitsWholeAndIsAppliedWhole() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let events = hub.events.count
        let ticket = try hub.wait(FunctionHub.request(Self.unit, atomic: [["a", "b", "c"]]))
        #expect(hub.events.count == events, "nothing of it is committed while it waits")
        #expect(try hub.stored("Plain", "p") == .null)
        try hub.answer(Self.resolve("both"))
        #expect(hub.finished[ticket]?["errors"] == nil)
        #expect(hub.events.count == events + 3)
        #expect(Set(hub.events.suffix(3).map(\.lastChangedAt)).count == 1, "in one commit")
    }

    @Test func aUnitWhoseConflictIsRefusedIsRefusedWhole() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let events = hub.events.count
        let ticket = try hub.wait(FunctionHub.request(Self.unit, atomic: [["a", "b", "c"]]))
        try hub.answer(Self.reject)
        let errors = hub.finished[ticket]?["errors"]?.array ?? []
        #expect(
            errors.compactMap { $0["errorType"]?.string } == [
                "TransactionCanceledException", "ConflictUnhandled", "TransactionCanceledException",
            ])
        #expect(hub.events.count == events)
        #expect(try hub.stored("Plain", "p") == .null)
    }

    @Test func aRetriedUnitJoinsAndTakesOverWhatCameOfIt() throws {
        for (answer, refused) in [(Self.reject, true), (Self.resolve("both"), false)] {
            let hub = try FunctionHub()
            try hub.prepare("Note")
            let request = FunctionHub.request(
                Self.unit, ids: ["a": "1", "b": "2", "c": "3"], atomic: [["a", "b", "c"]])
            let (first, retry) = (try hub.wait(request), try hub.wait(request))
            try hub.answer(answer)
            #expect(hub.asked.count == 1)
            #expect(hub.finished[retry] == hub.finished[first])
            #expect((hub.finished[retry]?["errors"] != nil) == refused)
        }
    }

    // MARK: What ends otherwise

    @Test func whenTheHubStopsThoseWhoWaitAreToldToTryAgain() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let before = try hub.stored("Note")
        let ticket = try hub.wait(FunctionHub.update("Note", Self.mine, ids: ["m": "u"]))
        let dismissed = hub.core.dismissWaiting()
        #expect(dismissed.map(\.ticket) == [ticket])
        #expect(dismissed.map(\.answer.status) == [503])
        try hub.answer(Self.resolve("too late"))
        #expect(try hub.stored("Note") == before)
        // The next hub applies the retry.
        let next = try FunctionHub(connection: hub.connection, time: hub.time)
        let json = try next.send(FunctionHub.update("Note", Self.mine, ids: ["m": "u"])) { _ in
            .success(Self.resolve("once"))
        }
        #expect(json.result?["title"] == "once")
    }

    @Test func whenTheHubStopsEveryRequestIsDismissedOnceWhateverItWaitsFor() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let request = FunctionHub.update("Note", Self.mine, ids: ["m": "u"])
        let (first, joined) = (try hub.wait(request), try hub.wait(request))
        // One that nothing would wake.
        hub.core.suspended[99] = MutationRun(try hub.core.runnable(request).get())
        #expect(hub.core.dismissWaiting().map(\.ticket) == [first, joined, 99])
        #expect(hub.core.dismissWaiting().isEmpty)
        #expect(hub.core.room.isEmpty && hub.core.suspended.isEmpty)
    }

    @Test func aCommitThatFailsEndsTheWaitAndTheRetryAsksAnew() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        let request = FunctionHub.update("Note", Self.mine, ids: ["m": "u"])
        let (first, joined) = (try hub.wait(request), try hub.wait(request))
        let pages = try hub.connection.value("PRAGMA page_count")?.integer ?? 0
        let size = String(repeating: "x", count: 200_000)
        try hub.connection.execute("PRAGMA max_page_count = \(pages)")
        try hub.answer(["action": "RESOLVE", "item": ["title": "t", "body": .string(size)]])
        #expect(hub.statuses[first] == 507)
        #expect(hub.finished[joined] == nil, "who had joined it goes on by himself")
        try hub.connection.execute("PRAGMA max_page_count = 1000000")
        #expect(hub.asked.count == 2)
        try hub.answer(Self.resolve("second"))
        #expect(hub.finished[joined]?.result?["title"] == "second")
        #expect(hub.core.room.isEmpty && hub.core.suspended.isEmpty)
    }

    @Test func thousandsWhoWaitAreNotKept() throws {
        let hub = try FunctionHub()
        try hub.prepare("Note")
        hub.core.room = WaitingRoom(limits: WaitingRoom.Limits(steps: 2))
        let requests = (0..<4).map { _ in FunctionHub.update("Note", Self.mine) }
        let outcome = hub.turn(requests)
        #expect(hub.asked.count == 2)
        #expect(hub.finished.count == 2)
        for json in hub.finished.values {
            #expect(json.errorMessage?.contains("too many requests wait") == true)
        }
        #expect(outcome.tickets.compactMap { $0 }.count == 4)
    }
}
