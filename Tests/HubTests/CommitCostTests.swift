import AppSync
import Basics
import Models
import Testing

@testable import Hub

/// Time that passes whenever somebody looks at it: each act seems to take as long.
private final class PassingTime: TimeSource {
    let bootID = "boot"
    private let state = Locked((uptime: Int64(0), step: Int64(0)))

    func now() -> DateTime { DateTime(milliseconds: 1_800_000_000_000) }
    func uptime() -> Int64 {
        state.withLock {
            $0.uptime += $0.step
            return $0.uptime
        }
    }
    func take(_ step: Int64) { state.withLock { $0.step = step } }
    func advance(_ milliseconds: Int64) { state.withLock { $0.uptime += milliseconds } }
}

/// What one caller can make everybody's commits wait for by documents, conditions, filters and events.
@Suite struct CommitCostTests {
    private func hub(_ clock: PassingTime? = nil, _ change: (inout HubLimits) -> Void = { _ in }) throws -> HubFixture {
        var limits = HubLimits()
        change(&limits)
        return try HubFixture(limits: limits, clock: clock)
    }

    // MARK: Documents

    @Test func argumentsCountAsOftenAsTheirFragmentIsSpread() throws {
        let hub = try hub { $0.documentTokens = 1_000 }
        func document(_ spreads: Int) -> String {
            let boxes = (0..<spreads).map { "a\($0): getBox(id: \"b\") { ...F }" }.joined(separator: " ")
            let tests = String(repeating: "{title: {eq: \"x\"}} ", count: 20)
            return "{ \(boxes) } fragment F on Box { notes(filter: {or: [\(tests)]}) { nextToken } }"
        }
        #expect(hub.send(document(10))["errors"] == nil)
        #expect(hub.send(document(40)).errorType == "QueryTooLarge")
        // A document that spreads nothing has whatever its tokens and texts hold.
        let text = String(repeating: "x", count: 100_000)
        #expect(
            hub.send("mutation { createNote(input: {id: \"1\", title: \"\(text)\"}) { id } }")["errors"] == nil)
    }

    @Test func documentsOfSubscriptionsAreCheckedInTheTimeOfTheirSender() throws {
        let time = PassingTime()
        var floor = RealtimeFixture(try hub(time) { $0.subscriptionMilliseconds = 100 })
        floor.connect(1)
        time.take(100)
        floor.start(1, "a", "subscription { onCreateNote { id } }")
        #expect(floor.types(1).last == "start_ack")
        time.take(0)
        floor.start(1, "b", "subscription { onUpdateNote { id } }")
        #expect(floor.closed == [1: 1011], "he is to come again, not to go on without it")
        floor.connect(2, "admin")
        floor.start(2, "a", "subscription { onCreateNote { id } }", key: "admin")
        #expect(floor.closed[2] == nil && floor.lastError(2) != nil, "another's time is his own")
        time.advance(1_000)
        floor.connect(3)
        floor.start(3, "b", "subscription { onUpdateNote { id } }")
        #expect(floor.types(3).last == "start_ack")
    }

    @Test func subscriptionsOfOneCallerTakeSoMuchMemory() throws {
        var floor = RealtimeFixture(try hub { $0.subscriptionBytes = 4_096 })
        func start(_ connection: UInt64, _ id: String, _ names: String) {
            floor.start(connection, id, "subscription { onCreateNote { \(names) } }")
        }
        floor.connect(1)
        floor.connect(2)
        start(1, "a", "id title body size")
        // The same document is kept once.
        start(2, "a", "id title body size")
        #expect(floor.registry.subscriptionCount == 2)
        start(1, "b", "id title body mood")
        #expect(floor.lastError(1)?["errorType"] == "MaxSubscriptionsReachedError")
        // A schema that is pushed starts them anew, and counts them once.
        let bytes = floor.registry.memory.bytes
        for _ in 0..<3 { floor.perform(floor.registry.succeed(floor.hub.core)) }
        #expect(floor.registry.subscriptionCount == 2 && floor.registry.memory.bytes == bytes)
        for connection in [1, 2] as [UInt64] { floor.registry.closed(connection) }
        #expect(floor.registry.memory.bytes.isEmpty)
        floor.connect(3)
        start(3, "b", "id title body mood")
        #expect(floor.registry.subscriptionCount == 1)
    }

    // MARK: Filters and conditions

    @Test func aSubscriptionsFilterHasSoManyComparisons() throws {
        var floor = RealtimeFixture(try hub())
        floor.connect(1)
        func filter(_ count: Int) -> JSONValue {
            ["f": ["and": .array(Array(repeating: ["title": ["notContains": "x"]], count: count))]]
        }
        let query = "subscription S($f: ModelSubscriptionNoteFilterInput) { onCreateNote(filter: $f) { id } }"
        floor.start(1, "a", query, filter(90))
        #expect(floor.types(1).last == "start_ack")
        floor.start(1, "b", query, filter(110))
        #expect(floor.lastError(1)?["message"] == "Filters combination exceed maximum limit")
    }

    @Test func conditionsOnMuchAreComparedInTheTimeOfTheirSender() throws {
        let time = PassingTime()
        let hub = try hub(time) { $0.relatedMilliseconds = 100 }
        hub.create(["id": "1", "title": "t", "body": .string(String(repeating: "ab", count: 50_000))])
        func update(_ version: JSONValue, _ field: String) -> JSONValue {
            hub.update(
                ["id": "1", "size": version, "_version": version], condition: [field: ["notContains": "x"]])
        }
        time.take(5_000)
        #expect(update(1, "body").result?["size"] == 1)
        time.take(0)
        #expect(update(2, "body").errorType == ErrorType.limitExceeded)
        #expect(update(2, "title").result?["size"] == 2, "what is small costs nothing")
        time.advance(100_000)
        #expect(update(3, "body").result?["size"] == 3)
    }

    // MARK: Events

    @Test(arguments: ["id", "box { id }"])
    func whoseEventsKeepEverybodyWaitingIsDroppedAndTheOthersAreNot(selection: String) throws {
        let time = PassingTime()
        var floor = RealtimeFixture(try hub(time) { $0.subscriptionMilliseconds = 100 })
        floor.connect(1)
        let much: JSONValue = ["f": ["and": .array(Array(repeating: ["title": ["ne": "x"]], count: 99))]]
        for id in 0..<2 {
            floor.start(
                1, "\(id)",
                "subscription S($f: ModelSubscriptionNoteFilterInput) { onCreateNote(filter: $f) { n\(id): \(selection) } }",
                much)
        }
        #expect(floor.registry.subscriptionCount == 2)
        func create(_ id: String) {
            floor.mutate("mutation { createNote(input: {id: \"\(id)\", title: \"a\"}) { id } }")
        }
        // What each change may take costs nothing, however many there are.
        time.take(0)
        for number in 0..<3 { create("free \(number)") }
        #expect(floor.closed.isEmpty && floor.data(1).count == 6)
        time.take(60)
        create("1")
        #expect(floor.closed == [1: 1011])
        time.take(0)
        floor.registry.closed(1)
        time.advance(2_000)
        floor.connect(3)
        floor.start(3, "a", "subscription { onCreateNote { id } }")
        create("2")
        #expect(floor.data(3) == [["id": "2"]])
        #expect(floor.closed == [1: 1011])
    }
}
