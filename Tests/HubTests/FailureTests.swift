import Basics
import SQLite
import Testing

@testable import Hub

@Suite struct FailureTests {
    @Test func aFullDiskStoresNothingSaysSoAndHealsByItself() throws {
        let hub = try HubFixture()
        hub.create(["id": "0", "title": "before"])
        let before = hub.syncAll()
        let pages = try #require(try hub.connection.value("PRAGMA page_count")?.integer)
        _ = try hub.connection.rows("PRAGMA max_page_count=\(pages + 4)")
        let long = String(repeating: "x", count: 3000)
        let fields = (0..<50).map { "m\($0): createNote(input: {id: \"n\($0)\", title: \"\(long)\"}) { id }" }
        let body: JSONValue = ["query": .string("mutation { \(fields.joined(separator: " ")) }")]
        let answer = hub.raw(body.bytes)
        #expect(answer.status == 507)
        #expect(try JSONValue(parsing: answer.body)["errors"]?[0]?["errorType"] == "InternalFailure")
        #expect(hub.core.statistics.isDiskFull)
        #expect(hub.events.count == 1)
        #expect(hub.syncAll().items == before.items)
        #expect(hub.syncAll().startedAt == before.startedAt)
        _ = try hub.connection.rows("PRAGMA max_page_count=100000")
        #expect(hub.raw(body.bytes).status == 200)
        #expect(!hub.core.statistics.isDiskFull)
        #expect(hub.syncAll(limit: 1000).items.count == 51)
    }

    @Test func aMutationThatTheDatabaseRefusesFailsAlone() throws {
        let hub = try HubFixture()
        try hub.connection.execute(
            """
            CREATE TEMP TRIGGER poison BEFORE INSERT ON "Note" WHEN new.title='poison' \
            BEGIN SELECT RAISE(ABORT, 'poisoned'); END
            """)
        func request(_ text: String) -> HubRequest {
            let body: JSONValue = [
                "query": .string("mutation { \(text) }"),
                "extensions": ["bincount": ["mutationIds": ["a": .string(text)]]],
            ]
            return HubRequest(apiKey: "all", device: "T", body: body.bytes)
        }
        let outcome = hub.core.execute([
            request("a: createNote(input: {id: \"1\", title: \"good\"}) { id }"),
            request(
                "a: createNote(input: {id: \"2\", title: \"poison\"}) { id } b: createNote(input: {id: \"3\", title: \"t\"}) { id }"
            ),
        ])
        let answers = try outcome.answers.map { try JSONValue(parsing: $0.body) }
        #expect(answers[0]["data"]?["a"]?["id"] == "1")
        #expect(answers[1]["data"] == ["a": .null, "b": ["id": "3"]])
        #expect(answers[1].errorType == "InternalFailure")
        #expect(outcome.events.count == 2)
        #expect(hub.syncAll().items.compactMap { $0["id"] } == ["1", "3"])
    }

    @Test func whatHasExpiredIsForgottenInSmallSteps() throws {
        let hub = try HubFixture()
        for index in 0..<30 {
            hub.send(
                "mutation { m: createNote(input: {id: \"\(index)\", title: \"t\"}) { id } }", device: "T",
                ids: ["m": .string("id-\(index)")])
        }
        hub.time.advance(milliseconds: HubCore.horizon + 1)
        hub.send(
            "mutation { m: createNote(input: {id: \"new\", title: \"t\"}) { id } }", device: "T", ids: ["m": "id-new"])
        func count() throws -> Int64? { try hub.connection.value("SELECT count(*) FROM _mutations")?.integer }
        #expect(try count() == 31)
        try hub.core.prune(limit: 20)
        #expect(try count() == 11)
        try hub.core.prune(limit: 20)
        #expect(try count() == 1)
    }

    @Test func aGuessAtWhatIsAQueryIsOnlyAGuess() {
        func guess(_ text: String) -> Bool {
            let body: JSONValue = ["query": .string(text)]
            return HubReader.looksLikeQuery(body.bytes)
        }
        #expect(guess("query S { listNotes { nextToken } }"))
        #expect(guess("\n  { listNotes { nextToken } }"))
        #expect(!guess("mutation { createNote(input: {}) { id } }"))
        #expect(!HubReader.looksLikeQuery([]))
        #expect(!HubReader.looksLikeQuery(Array("\"query\"".utf8)))
    }
}
