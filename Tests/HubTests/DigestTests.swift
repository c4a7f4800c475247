import AppSync
import Basics
import Models
import SQLite
import Testing

@testable import Hub

/// `extensions.bincount.digest`: what differs, without reading everything.
@Suite("A comparison by digests")
struct DigestTests {
    private let fixture: HubFixture

    init() throws {
        fixture = try HubFixture()
        for number in 0..<40 { fixture.create(["id": .string("n\(number)"), "title": "t"]) }
    }

    private func sync(_ digest: DigestRequest, token: String? = nil, limit: Int = 1000, key: String = "all")
        -> JSONValue
    {
        var variables: JSONObject = ["l": .integer(Int64(limit))]
        if let token { variables["t"] = .string(token) }
        let body: JSONValue = [
            "query": """
            query S($l: Int, $t: String) {
              syncNotes(limit: $l, nextToken: $t) { items { id _version _deleted } nextToken startedAt }
            }
            """,
            "variables": .object(variables), "extensions": ["bincount": ["digest": ["syncNotes": digest.json]]],
        ]
        return (try? JSONValue(parsing: fixture.raw(body.bytes, key: key).body)) ?? .null
    }

    private func digest(_ rows: [(String, Int64)], bits: Int = 4) -> RecordDigest {
        var digest = RecordDigest(bits: bits)
        for (id, version) in rows { digest.add(id: id, version: version) }
        return digest
    }

    private let all = (0..<40).map { ("n\($0)", Int64(1)) }

    @Test("finds nothing where both have the same, in any order, and says when that was")
    func same() {
        let answer = sync(.compare(digest(all.reversed())))
        #expect(answer["extensions"]?["bincount"]?["digest"]?["syncNotes"] == [])
        #expect(answer.result?["items"] == [])
        #expect(answer.result?["startedAt"]?.integer ?? 0 > 0)
    }

    @Test("names the buckets of what is new, changed or gone on either side, and gives those alone")
    func differs() throws {
        fixture.update(["id": "n3", "title": "u", "_version": 1])
        fixture.delete("n7", version: 1)
        let mine = all.filter { $0.0 != "n11" } + [("mine", 1)]
        let answer = sync(.compare(digest(mine)))
        let buckets = Set(
            (answer["extensions"]?["bincount"]?["digest"]?["syncNotes"]?.array ?? []).compactMap {
                $0.integer.map(Int.init)
            }
        )
        let expected = Set(["n3", "n7", "n11", "mine"].map { RecordDigest.bucket(of: $0, bits: 4) })
        #expect(buckets == expected)
        var got: [String] = []
        var token: String?
        repeat {
            let page = sync(.fetch(bits: 4, buckets: buckets), token: token, limit: 3)
            got += (page.result?["items"]?.array ?? []).compactMap { $0["id"]?.string }
            token = page.result?["nextToken"]?.string
        } while token != nil
        let wanted = all.map(\.0).filter { expected.contains(RecordDigest.bucket(of: $0, bits: 4)) }
        #expect(got.sorted() == wanted.sorted())
    }

    @Test("knows only what its caller may read")
    func rights() throws {
        let diary = """
            mutation { createDiary(input: {id: "d", author: "ann", text: "secret"}) { id } }
            """
        fixture.send(diary, person: "ann")
        let body: JSONValue = [
            "query": "query { syncDiaries { items { id } nextToken startedAt } }",
            "extensions": ["bincount": ["digest": ["syncDiaries": DigestRequest.compare(digest([])).json]]],
        ]
        for (person, isEmpty) in [("ann", false), ("bob", true)] {
            let answer = try JSONValue(parsing: fixture.raw(body.bytes, person: person).body)
            let list = try #require(answer["extensions"]?["bincount"]?["digest"]?["syncDiaries"]?.array)
            #expect(list.isEmpty == isEmpty, "\(person)")
        }
    }

    @Test(
        "that cannot be read is refused",
        arguments: [
            ["bits": 4], ["bits": 4, "sums": "00"], ["bits": 13, "buckets": []], ["bits": 2, "buckets": [4]], 7,
        ] as [JSONValue])
    func unreadable(digest: JSONValue) throws {
        let body: JSONValue = [
            "query": "query { syncNotes { items { id } } }",
            "extensions": ["bincount": ["digest": ["syncNotes": digest]]],
        ]
        let answer = try JSONValue(parsing: fixture.raw(body.bytes).body)
        #expect(answer.errorMessage?.contains("digest") == true)
    }

    /// A clock that goes on whenever it is looked at.
    private final class Steps: TimeSource {
        private let count = Locked<Int64>(0)
        let bootID = "steps"

        func now() -> DateTime { DateTime(milliseconds: 1_000_000) }
        func uptime() -> Int64 {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    @Test("ends when the time of a request is over, whoever asks", arguments: ["syncNotes", "syncDiaries"])
    func late(field: String) throws {
        var limits = HubLimits()
        limits.milliseconds = 10
        let core = try HubCore(
            engine: try HubEngine(
                HubFixture.notes, Authenticator(keys: try APIKeys(HubFixture.keys)), limits: limits),
            schema: HubFixture.notes, connection: try Connection.memory(), time: Steps(),
            random: SeededRandom(seed: 1))
        let (name, text) = field == "syncNotes" ? ("Note", "title") : ("Diary", "text")
        let info = try #require(core.engine.schema.model(name))
        for number in 0..<10_000 {
            let values: [String: Value] = ["id": .text("\(number)"), text: .text("t"), "author": .text("ann")]
            _ = try core.tables[info.index].insert(
                info.schema.fields.map { values[$0.name] ?? .null }, version: 1, stamp: 1, on: core.connection)
        }
        let body: JSONValue = [
            "query": .string("query { \(field) { items { id } } }"),
            "extensions": ["bincount": ["digest": [field: DigestRequest.compare(digest([])).json]]],
        ]
        // Rows that may be read, and rows that may not.
        for person in ["ann", "bob"] {
            let outcome = core.execute([HubRequest(apiKey: "all", person: person, body: body.bytes)])
            let answer = try JSONValue(parsing: outcome.answers[0].body)
            #expect(answer.errorType == "ExecutionTimeout", "\(answer.text)")
            #expect(answer["data"]?[field] == .null)
            #expect(answer["extensions"]?["bincount"]?["digest"]?[field] == nil)
        }
    }

    @Test("is asked for by the hub itself where a mark is older than the deletions it remembers")
    func gap() throws {
        let mark = fixture.sync().startedAt
        fixture.delete("n7", version: 1)
        func gaps() -> JSONValue? { fixture.sync(lastSync: mark).json["extensions"]?["bincount"]?["gap"] }
        #expect(gaps() == nil)
        fixture.time.advance(milliseconds: HubCore.horizon + 1)
        try fixture.core.prune()
        #expect(gaps() == ["syncNotes"])
    }

    @Test("is not needed to know how much a fetch will give")
    func rows() {
        let json = fixture.sync(limit: 5).json
        #expect(json["extensions"]?["bincount"]?["rows"]?["syncNotes"] == 40)
        #expect(json["extensions"]?["bincount"]?["digest"] == true)
    }
}
