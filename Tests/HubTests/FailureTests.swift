import Basics
import Models
import SQLite
import System
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

    /// What nobody changes says nothing of the disk: the hub finds out by itself.
    @Test(arguments: ["readonly", "full"])
    func `a hub that cannot write is not ready, for whatever reason, until it can`(_ reason: String) throws {
        let directory = try TempDirectory("unwritable")
        let hub = try HubFixture()
        hub.create(["id": "0", "title": "before"])
        func health() -> (status: Int, json: JSONValue) {
            HubGauges(core: hub.core.statistics).health(
                HubDiskUse(directory.path), isStopping: false, epoch: hub.core.epoch)
        }
        #expect(health().status == 200)
        let pages = try #require(try hub.connection.value("PRAGMA page_count")?.integer)
        let isFull = reason == "full"
        _ = try hub.connection.rows(isFull ? "PRAGMA max_page_count=\(pages)" : "PRAGMA query_only=ON")
        let long = String(repeating: "x", count: 300_000)
        #expect(hub.create(["id": "1", "title": .string(long)])["data"] == nil)
        #expect(health().status == 503)
        #expect(health().json["status"] == (isFull ? "disk full" : "cannot write"))
        // A commit with nothing in it is none that went well.
        hub.update(["id": "none", "title": "t", "_version": 1])
        #expect(health().status == 503)
        if !isFull {
            #expect(throws: SQLiteError.self) { try hub.core.prune() }
            #expect(health().status == 503)
        }
        _ = try hub.connection.rows(isFull ? "PRAGMA max_page_count=100000" : "PRAGMA query_only=OFF")
        #expect(try !hub.core.prune())
        #expect(health().status == 200)
        #expect(hub.create(["id": "1", "title": .string(long)]).result?["id"] == "1")
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
        #expect(try hub.core.prune(limit: 20), "there is more")
        #expect(try count() == 11)
        #expect(try !hub.core.prune(limit: 20))
        #expect(try count() == 1)
    }

    @Test func `a tombstone from before what is forgotten already goes as every other`() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "t"])
        hub.delete("1", version: 1)
        hub.time.advance(milliseconds: HubCore.horizon + 1)
        try hub.core.prune()
        // As a restore leaves them: what was deleted before it lies below the mark.
        hub.create(["id": "2", "title": "t"])
        hub.delete("2", version: 1)
        try hub.connection.run("UPDATE Note SET \"_ttl\"=-1,\"_lastChangedAt\"=1 WHERE id='2'")
        try hub.core.prune()
        #expect(try hub.connection.value("SELECT count(*) FROM Note") == .integer(0))
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
