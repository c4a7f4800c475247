import AppSync
import Basics
import Models
import Testing
import WarehouseModels

@testable import Hub

/// A counter of a blind session against the hub: whatever he asks, in whatever way, two warehouses that look alike to him
/// answer alike to the last byte, though their books, costs, plans, verdicts and other people's counts differ.
///
/// His questions are made from what introspection tells him: every root field, every filter with every operator, every
/// relation, index, condition, digest and subscription.
@Suite struct BlindSessionTests {
    @Test func noQuestionTellsWhatTheBookSays() async throws {
        let worlds = try [1, 2].map { try BlindWorld($0) }
        let api = try CounterAPI(worlds[0].hub)
        var asked = 0
        func ask(_ question: CounterAPI.Question) async throws {
            // Tests with sockets run beside this one, on as few threads as there are cores.
            await Task.yield()
            asked += 1
            let answers = worlds.map { $0.answer(question) }
            for answer in answers {
                #expect(!answer.contains("LimitReached"), "each question is put")
                #expect(!BlindWorld.isSecret(answer), "\(question.text) is answered with \(answer.prefix(400))")
            }
            #expect(answers[0] == answers[1], "\(question.text)")
        }
        for question in api.queries + api.digests { try await ask(question) }
        let reading = asked
        for question in api.mutations { try await ask(question) }
        print("blind: \(reading) requests that read, \(asked - reading) that write, \(api.probes) probes in them")
        #expect(api.probes > 3_000)
        #expect(worlds.allSatisfy { $0.seen > 50 }, "what he may see he is shown: the questions are real ones")
    }

    @Test func noEventTellsWhatTheBookSays() throws {
        let worlds = try [1, 2].map { try BlindWorld($0) }
        let subscriptions = try CounterAPI(worlds[0].hub).subscriptions
        for world in worlds {
            world.subscribe(subscriptions)
            try world.work()
        }
        let told = worlds.map { $0.takeFrames() }
        #expect(told[0] == told[1])
        #expect(told[0].contains { $0.contains("visible change") }, "what he may see he is told")
        for frame in told.flatMap({ $0 }) { #expect(!BlindWorld.isSecret(frame), "\(frame.prefix(400))") }
        print("blind: \(subscriptions.count) subscriptions, \(told[0].count) frames")
        #expect(subscriptions.count > 500)
    }

    @Test func aSupervisorSeesWhatIsHiddenFromTheCounter() throws {
        let world = try BlindWorld(1)
        for text in ["{ listBookLines { items { quantity } } }", "{ listItemCosts { items { unitCost } } }"] {
            let question = CounterAPI.Question(text: text)
            #expect(BlindWorld.isSecret(world.answer(question, as: "supervisor")), "the secrets are there to be found")
        }
        let probe = CounterAPI.Question(
            text: "{ listBookLines(filter: {quantity: {gt: 74250.0}}) { items { __typename } } }")
        let other = try BlindWorld(2)
        #expect(world.answer(probe, as: "supervisor") != other.answer(probe, as: "supervisor"), "and to be guessed")
    }
}

/// A warehouse in which everything that a counter may not see is filled with recognisable values, other ones in each.
final class BlindWorld {
    let hub: TokenFixture
    private(set) var seen = 0
    private let number: Int

    /// Models of which a counter may read nothing (floor.md §1.15).
    static let hidden = [
        "BookSnapshot", "BookLine", "StockMovement", "ItemCost", "SessionPlan", "TaskPlan", "LineVerdict", "Decision",
        "Rule", "ExportDocument", "ExportLine", "DeskLease",
    ]
    /// Models of which he may read some rows, with the field that says whose a row is.
    static let personal = ["CountEntry": "authorID", "Message": "fromID", "Device": "code"]

    init(_ number: Int) throws {
        self.number = number
        hub = try TokenFixture(warehouse, level: .error)
        hub.admit("counter", .apiKey, person: "ann", device: "T1", groups: ["counters"])
        hub.admit("supervisor", .apiKey, person: "sue", device: "S1", groups: ["supervisors"])
        hub.admit("desk", .apiKey, device: "D1", groups: ["desk"])
        hub.admit("bob", .apiKey, person: "bob", device: "T2", groups: ["counters"])
        for model in warehouse.models where model.syncPolicy != .none {
            // There are more of them in the second, some before and some after what he may see.
            if Self.hidden.contains(model.name) || Self.personal[model.name] != nil {
                for row in 0..<(number * 3) { try plant(model, row == 0 ? "h1" : "far\(row)", isSecret: true) }
            }
            if !Self.hidden.contains(model.name), model.name != "ExpectedLine" {
                for row in 1...2 { try plant(model, "v\(row)", isSecret: false) }
            }
            if Self.personal[model.name] != nil {
                for row in 0..<(number * 2) { try plant(model, "after\(row)", isSecret: true) }
            }
        }
        // A guided session beside the blind one: its lines are for everybody, and the same in both.
        if let line = warehouse.model("ExpectedLine") { try plant(line, "v1", isSecret: false) }
    }

    private func plant(_ model: ModelSchema, _ id: String, isSecret: Bool) throws {
        var values: [String: Value] = [:]
        for (position, field) in model.fields.enumerated() {
            values[field.name] = value(field, position, isSecret: isSecret)
        }
        values["id"] = .text(id)
        for (name, target) in [
            ("binID", "v1"), ("itemID", "v1"), ("sessionID", "v1"), ("taskID", "v1"), ("zoneID", "v1"),
            ("passID", "v1"),
        ] where model.position(of: name) != nil { values[name] = .text(target) }
        if let owner = Self.personal[model.name] {
            values[owner] = .text(isSecret ? "bob" : owner == "code" ? "T1" : "ann")
            for name in ["crewIDs", "toIDs"] where values[name] != nil {
                values[name] = .text(isSecret ? #"["bob"]"# : "[]")
            }
            if values["audience"] != nil { values["audience"] = .text(isSecret ? #"["supervisors"]"# : "[]") }
        }
        try hub.plant(model.name, values)
    }

    /// Secret numbers begin with 742 in the first and with 743 in the second, secret times lie in 1993, secret texts
    /// begin with `zq1` and `zq2`.
    private func value(_ field: FieldSchema, _ position: Int, isSecret: Bool) -> Value {
        let number = Int64(isSecret ? 74_100_000 + self.number * 100_000 + position : 3 + position)
        let text = isSecret ? "zq\(self.number)-\(field.name)" : "plain"
        if field.isList {
            if case .scalar(.int) = field.type { return .text("[\(number)]") }
            if case .enumeration(let name) = field.type {
                return .text("[\"\(warehouse.enums[name]?.first ?? "")\"]")
            }
            return .text("[\"\(text)\"]")
        }
        switch field.type {
        case .enumeration(let name):
            let cases = warehouse.enums[name] ?? []
            return .text((isSecret && self.number == 2 ? cases.last : cases.first) ?? "")
        case .scalar(.boolean): return .integer(isSecret && self.number == 2 ? 0 : 1)
        case .scalar(.int), .scalar(.decimal), .scalar(.awsTimestamp): return .integer(number)
        case .scalar(.awsDateTime): return .integer(number * 10_000)
        case .scalar(.float): return .real(Double(number))
        case .scalar(.awsJSON): return .text("{\"n\":\(number)}")
        case .scalar(.awsDate): return .text(isSecret ? "207\(self.number)-01-01" : "2026-01-01")
        default: return .text(text)
        }
    }

    /// Whether an answer holds a value that only hidden rows have.
    static func isSecret(_ text: String) -> Bool {
        for mark in [
            "74200", "74300", "7420.0", "7430.0", "1993-", "zq1", "zq2", "2071-", "2072-", "\"far", "\"after", "bob",
        ] {
            if text.utf8Contains(mark) { return true }
        }
        return false
    }

    /// What the counter is answered, without what is another at every hub: page tokens and the name of its life.
    func answer(_ question: CounterAPI.Question, as token: String = "counter") -> String {
        let json = hub.send(token, question.text, bincount: question.bincount)
        count(json["data"] ?? .null)
        return Self.plain(json).text
    }

    private func count(_ json: JSONValue) {
        switch json {
        case .array(let items): for item in items { count(item) }
        case .object(let object):
            if object["id"]?.string?.hasPrefix("v") == true { seen += 1 }
            for member in object.members { count(member.value) }
        default: break
        }
    }

    private static func plain(_ json: JSONValue) -> JSONValue {
        switch json {
        case .array(let items): return .array(items.map(plain))
        case .object(let object):
            return .object(
                JSONObject(
                    object.members.map { key, value in
                        if key == "epoch" || key == "nextToken" && value.string != nil { return (key, "*") }
                        return (key, plain(value))
                    }))
        default: return json
        }
    }

    // MARK: Events

    private var connections: UInt64 = 0

    func subscribe(_ documents: [String]) {
        for (index, document) in documents.enumerated() {
            if index % 150 == 0 {
                connections += 1
                hub.connect(connections, "counter")
            }
            hub.start(connections, "\(index)", "counter", document)
        }
    }

    /// A day of the others: the desk judges, Bob counts, and a bin is renamed.
    func work() throws {
        for model in Self.hidden {
            for id in ["h1", "far1"] {
                guard let info = hub.core.engine.schema.model(model) else { continue }
                let name = info.schema.operationName(.update)
                for token in ["desk", "supervisor"] {
                    _ = hub.send(token, "mutation { \(name)(input: {id: \"\(id)\", _version: 1}) { id } }")
                }
                publish(info, id)
            }
        }
        for model in Self.personal.keys.sorted() {
            if let info = hub.core.engine.schema.model(model) { publish(info, "h1") }
        }
        _ = hub.send(
            "desk", "mutation { updateZone(input: {id: \"v1\", name: \"visible change\", _version: 1}) { id name } }")
    }

    /// A change of a hidden row of each kind, as a commit would give it.
    private func publish(_ info: ModelInfo, _ id: String) {
        guard let row = try? hub.core.tables[info.index].fetch(id, on: hub.core.connection) else { return }
        for kind in [CommittedChange.Kind.create, .update, .delete] {
            let change = CommittedChange(kind: kind, model: info.index, row: row, modelName: info.schema.name)
            hub.perform(hub.registry.publish([change]))
        }
    }

    func takeFrames() -> [String] {
        guard connections > 0 else { return [] }
        return (1...connections).flatMap { hub.take($0).map { Self.plain($0).text } }
    }
}

extension String {
    fileprivate func utf8Contains(_ part: String) -> Bool {
        let (bytes, wanted) = (Array(utf8), Array(part.utf8))
        guard wanted.count <= bytes.count else { return false }
        for start in 0...(bytes.count - wanted.count) where bytes[start] == wanted[0] {
            if bytes[start..<start + wanted.count].elementsEqual(wanted) { return true }
        }
        return false
    }
}
