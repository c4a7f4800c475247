import AppSync
import Basics
import Models
import Testing

@Suite("The record reader")
struct RecordReaderTests {
    private let answers = AnswerReader(schema: Sample.schema)

    /// Reads one record of an answer.
    private func read(_ json: JSONValue) throws -> Result<WireRecord, QuarantinedRecord>? {
        let bytes = JSONValue.object(["data": ["getNote": json]]).bytes
        return try answers.record(bytes, of: Sample.note).0
    }

    /// What the generic codec makes of the same JSON.
    private func expected(_ json: JSONValue) throws -> [Value] {
        var values: [Value] = []
        for field in Sample.note.fields {
            values.append(try Sample.schema.storageValue(of: json[field.name] ?? .null, for: field, in: "Note"))
        }
        return values
    }

    @Test("gives the values that the generic codec gives, or refuses where it refuses", arguments: 0..<400)
    func property(seed: Int) throws {
        let random = SeededRandom(seed: UInt64(seed))
        let note = RandomNote(random: random).json
        let result = try #require(try read(note))
        switch (Result { try expected(note) }, result) {
        case (.success(let values), .success(let record)):
            #expect(record.record.values == values)
            #expect(record.version == note["_version"]?.integer)
            #expect(record.isDeleted == (note["_deleted"]?.bool ?? false))
        case (.failure, .failure(let row)): #expect(row.model == "Note")
        case (.success, .failure(let row)): Issue.record("refused \(note.text), which the codec reads: \(row.reason)")
        case (.failure(let error), .success): Issue.record("read \(note.text), which the codec refuses: \(error)")
        }
    }

    @Test("sets a row aside whole, however long it is")
    func long() throws {
        let title = String(repeating: "ü", count: 100_000)
        let row = #"{"id":"b","title":"\#(title)","tags":[],"kind":"MIDDLE","_version":2,"_lastChangedAt":6}"#
        let page = #"{"data":{"syncNotes":{"items":[\#(row)],"nextToken":null,"startedAt":99}}}"#
        let (read, _) = try answers.page(Array(page.utf8), of: Sample.note)
        #expect(read.quarantined.map(\.text) == [row])
    }

    @Test("takes only a time for the time at which a page was made", arguments: [Int64.min, -1, .max])
    func impossibleTime(_ time: Int64) throws {
        let page = #"{"data":{"syncNotes":{"items":[],"nextToken":null,"startedAt":\#(time)}}}"#
        #expect(try answers.page(Array(page.utf8), of: Sample.note).0.startedAt == nil)
    }

    @Test("sets a bad row aside and keeps the page (D67, D68)")
    func quarantine() throws {
        let page = #"""
            {"data":{"syncNotes":{"items":[
             {"id":"a","title":"x","tags":[],"_version":1,"_deleted":null,"_lastChangedAt":5},
             {"id":"b","title":"x","tags":[],"kind":"MIDDLE","_version":2,"_lastChangedAt":6},
             null,
             {"id":"c","title":"y","tags":["t", "u"],"kind":"LOW","_version":3,"_lastChangedAt":7}],
             "nextToken":"n","startedAt":99}},
             "errors":[{"path":["syncNotes","items",2],"message":"Not Authorized","errorType":"Unauthorized"}],
             "extensions":{"bincount":{"batch":100}}}
            """#
        let (read, tail) = try answers.page(Array(page.utf8), of: Sample.note)
        #expect(read.isPresent)
        #expect(read.items.map(\.record.id) == ["a", "c"])
        #expect(read.items.map(\.version) == [1, 3])
        #expect(read.items[1].record["tags"] == .text(#"["t","u"]"#))
        #expect(read.quarantined.map(\.id) == ["b", nil])
        #expect(read.quarantined[0].reason.contains("kind"))
        #expect(read.quarantined[0].version == 2)
        #expect(read.nextToken == "n")
        #expect(read.startedAt == 99)
        #expect(tail.errors.map(\.errorType) == ["Unauthorized"])
        #expect(tail.bincount == ["batch": 100])
    }

    @Test("asks only the key of a tombstone")
    func tombstones() throws {
        let (found, _) = try answers.record(
            Array(#"{"data":{"onDeleteNote":{"id":"a","title":null,"_version":4,"_deleted":true}}}"#.utf8),
            of: Sample.note)
        let record = try #require(try found?.get())
        #expect(record.isDeleted)
        #expect(record.version == 4)
    }

    @Test("finds a record without a version unusable")
    func versionless() throws {
        let result = try read(["id": "a", "title": "x", "tags": []])
        guard case .failure(let row)? = result else {
            Issue.record("a record without a version was taken")
            return
        }
        #expect(row.reason == "_version is missing")
        #expect(row.id == "a")
    }

    @Test("knows no key of a row of which a part of the key cannot be read")
    func partOfAKey() throws {
        let page = #"{"data":{"syncLots":{"items":[{"site":"s","number":"x","_version":1}],"nextToken":null}}}"#
        let (read, _) = try answers.page(Array(page.utf8), of: Sample.lot)
        #expect(read.items.isEmpty)
        #expect(read.quarantined.map(\.id) == [nil])
    }

    @Test("tells apart done, refused and unanswered mutations of a batch (D77)")
    func batch() throws {
        let mutations = (0..<5).map {
            OutgoingMutation(.create, Sample.note, id: "n\($0)", fieldsJSON: "{}", mutationID: "u\($0)")
        }
        let answer = #"""
            {"data":{"m0":{"__typename":"Note","id":"n0","title":"x","tags":[],"_version":1,"_lastChangedAt":1},
             "m1":null,"m2":null,"m3":{"id":"n3"}},
             "errors":[{"path":["m1"],"errorType":"ConflictUnhandled","message":"no",
              "data":{"id":"n1","title":"t","tags":[],"_version":7,"_lastChangedAt":2}}]}
            """#
        let (results, _) = try answers.push(Array(answer.utf8), for: mutations)
        guard case .done(let record) = results[0], case .refused(let errors) = results[1],
            case .doneWithoutRecord(nil) = results[2], case .doneWithoutRecord(.some) = results[3],
            case .missing = results[4]
        else {
            Issue.record("\(results)")
            return
        }
        #expect(record.version == 1)
        #expect(answers.record(of: errors[0], model: Sample.note)?.version == 7)
    }

    @Test("takes the kind of an error from its top or from its extensions")
    func errors() throws {
        let top = ResponseError(json: try .parse(#"{"message":"m","errorType":"A","data":{"x":1}}"#))
        let inner = ResponseError(json: try .parse(#"{"message":"m","extensions":{"errorType":"A","data":{"x":1}}}"#))
        #expect(top == inner)
        #expect(ResponseError(json: top.json) == top)
        #expect(ErrorType.isAuthorization("com.amazonaws.deepdish.graphql.auth#UnauthorizedException"))
        #expect(!ErrorType.isAuthorization("Conflict"))
    }

    @Test("never crashes on cut or damaged bytes (D80)", arguments: 0..<200)
    func damage(seed: Int) throws {
        let random = SeededRandom(seed: UInt64(seed))
        var bytes = JSONValue.object(["data": ["syncNotes": ["items": [RandomNote(random: random).json]]]]).bytes
        if random.below(2) == 0 {
            bytes.removeLast(random.below(bytes.count))
        } else {
            bytes[random.below(bytes.count)] = UInt8(random.below(256))
        }
        // Either it is still JSON of this form, or it is refused: both are right, a trap is not.
        _ = try? answers.page(bytes, of: Sample.note)
        #expect(throws: JSONError.self) {
            try answers.page(Array(bytes.dropLast(1)) + [UInt8(ascii: "{")], of: Sample.note)
        }
    }
}

/// Notes as services send them, and as broken ones would.
struct RandomNote {
    let random: SeededRandom

    private func pick(_ values: [JSONValue]) -> JSONValue { values[random.below(values.count)] }
    private func rarely(_ values: [JSONValue], _ usual: [JSONValue]) -> JSONValue {
        pick(random.below(40) == 0 ? values : usual)
    }

    var json: JSONValue {
        var members: [(key: String, value: JSONValue)] = [
            ("id", rarely([7, nil], ["a", "ü-1", "x\"y"])),
            ("title", rarely([nil, 3], ["plain", "", "tab\tnew\nline", "emoji 👩‍🔧", "\\ /", "\u{7f}"])),
            ("size", rarely([3_000_000_000, "3", true], [0, -5, 2_147_483_647, nil])),
            ("weight", rarely(["1"], [1, .number("1.5"), .number("-2.5e3"), nil])),
            (
                "amount",
                rarely([.number("0.0001"), "1"], [1, .number("0.125"), .number("1e2"), .number("-3.50"), nil])
            ),
            ("done", rarely([1, "true"], [true, false, nil])),
            ("dueOn", rarely(["2026-02-30", "soon"], ["2026-02-28", "2026-02-28Z", nil])),
            (
                "at",
                rarely(
                    ["2026-13-01T00:00:00.000Z", "2026-01-01T25:00:00.000Z", 5],
                    ["2026-11-21T09:41:00.123Z", "2026-11-21T09:41:00+01:00", "1969-12-31T23:59:59.999Z", nil])
            ),
            ("ticks", rarely(["1"], [1_714_557_780_000, -1, nil])),
            ("kind", rarely(["MIDDLE", "low", 1], ["LOW", "HIGH", nil])),
            ("extra", rarely(["{", 5], [#"{"b":1,"a":[2]}"#, "null", nil])),
            ("tags", rarely([nil, [nil], "t", [1]], [[], ["a"], ["a", "ü", "q\"r"], ["x\\y"]])),
            ("kinds", rarely([["MIDDLE"]], [[], ["LOW", nil], nil])),
            ("place", rarely([["name": "n"], ["row": 1, "x": 2], 1], [["row": 1], ["row": 2, "name": "n"], nil])),
            ("createdAt", pick(["2026-11-21T09:41:00.000Z", nil])),
            ("_version", .integer(Int64(random.below(100) + 1))),
            ("_deleted", pick([nil, false])),
            ("_lastChangedAt", 1_714_557_780_000),
            ("__typename", "Note"),
        ]
        if random.below(3) == 0 { members.insert(("later", ["new": [1, "]}"]]), at: random.below(members.count)) }
        if random.below(3) == 0 { members.swapAt(random.below(members.count), random.below(members.count)) }
        return .object(JSONObject(members))
    }
}
