import AppSync
import Basics
import GraphQL
import System
import Testing

@testable import Hub

/// Inputs that have been trouble somewhere, or could be: kept, run each time, and mutated.
private enum HubCorpus {
    static func texts(_ ending: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/Corpus"
        return try Files.list(folder).filter { $0.hasSuffix(ending) }.sorted()
            .map { ($0, Array(try Files.readText("\(folder)/\($0)").utf8)) }
    }
}

@Suite("No document and no bytes make the hub fail otherwise than with errors")
struct HubFuzzTests {
    /// Every answer is JSON of GraphQL's form.
    private func check(_ answer: HubAnswer, _ what: @autoclosure () -> String) {
        #expect([200, 400, 405].contains(answer.status), "\(what())")
        guard let json = try? JSONValue(parsing: answer.body), case .object(let object) = json else {
            Issue.record("no JSON object: \(what())")
            return
        }
        let data = object["data"]
        #expect(answer.status == 200 ? data != nil : data == nil, "\(what())")
        guard let errors = object["errors"] else {
            #expect(data?.object != nil, "\(what())")
            return
        }
        #expect(errors.array?.isEmpty == false, "\(what())")
        for error in errors.array ?? [] { check(error, what()) }
    }

    private func check(_ error: JSONValue, _ what: @autoclosure () -> String) {
        #expect(error["message"]?.string?.isEmpty == false, "\(what())")
        for location in error["locations"]?.array ?? [] {
            #expect((location["line"]?.integer ?? 0) > 0 && (location["column"]?.integer ?? 0) > 0, "\(what())")
        }
        if let path = error["path"], !path.isNull { #expect(path.array?.isEmpty == false, "\(what())") }
    }

    private func body(_ text: String, _ variables: JSONObject) -> [UInt8] {
        JSONValue.object(["query": .string(text), "variables": .object(variables)]).bytes
    }

    private static let perSeed = 150

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func validDocumentsAreValidAndAnsweredInTheirForm(_ seed: UInt64) throws {
        let hub = try HubFixture(ConformanceSchema.schema)
        var floor = RealtimeFixture(hub)
        floor.connect(1)
        var generator = DocumentGenerator(hub.core.engine.schema, seed: seed)
        var answered = 0
        for number in 0..<Self.perSeed {
            hub.time.advance(milliseconds: 1000)
            let kind = generator.pick(["query", "query", "mutation", "mutation", "subscription"])
            let (text, variables) = generator.document(kind)
            let document = try Document(parsing: text)
            #expect(try Document(parsing: document.text).text == document.text, "\(text)")
            if kind == "subscription" {
                floor.start(1, "s\(number)", text, .object(variables))
                let message = floor.lastError(1)?["message"]?.string ?? ""
                #expect(!message.contains("Validation error"), "\(message) in \(text)")
                floor.send(1, "{\"type\":\"stop\",\"id\":\"s\(number)\"}")
                continue
            }
            let outcome = hub.core.execute([HubRequest(apiKey: "all", body: body(text, variables))])
            floor.perform(floor.registry.publish(outcome.events))
            check(outcome.answers[0], text)
            let json = try JSONValue(parsing: outcome.answers[0].body)
            for error in json["errors"]?.array ?? [] {
                let message = error["message"]?.string ?? ""
                #expect(!message.contains("Validation error"), "\(message) in \(text)")
            }
            if json["errors"] == nil { answered += 1 }
        }
        // Many documents run whole: otherwise this would test the errors only.
        #expect(answered > Self.perSeed / 10)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func mutatedDocumentsAreAnsweredInTheirForm(_ seed: UInt64) throws {
        let hub = try HubFixture(ConformanceSchema.schema)
        var generator = DocumentGenerator(hub.core.engine.schema, seed: seed &+ 1000)
        let words = [
            "{", "}", "(", ")", "[", "]", ":", "!", "$v0", "...", "... on Note", "...F0", "@skip(if: true)", "null",
            "\"",
            "\\\"", "__typename", "__schema", "query", "fragment F9 on Note { ...F9 }", "9e999", "-", "\u{FFFF}", "#",
        ]
        for _ in 0..<Self.perSeed {
            let (text, variables) = generator.document(generator.pick(["query", "mutation"]))
            var bytes = Array(text.utf8)
            for _ in 0...generator.below(3) {
                let place = generator.below(bytes.count)
                switch generator.below(4) {
                case 0: bytes[place] = UInt8(generator.below(256))
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + generator.below(20)))
                case 2: bytes.insert(contentsOf: Array(generator.pick(words).utf8), at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 60)], at: place)
                }
                if bytes.isEmpty { bytes = [123] }
            }
            let mutated = String(decoding: bytes, as: UTF8.self)
            check(hub.raw(body(mutated, variables)), mutated)
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func variablesOfAnyShapeAreCheckedOrTaken(_ seed: UInt64) throws {
        let hub = try HubFixture(ConformanceSchema.schema)
        var generator = DocumentGenerator(hub.core.engine.schema, seed: seed &+ 2000)
        func anything(_ depth: Int) -> JSONValue {
            switch generator.below(depth > 3 ? 6 : 9) {
            case 0: return .null
            case 1: return .bool(true)
            case 2: return .integer(generator.pick([0, -1, .max, .min, 2_147_483_648]))
            case 3: return .number(generator.pick(["1.5", "1e400", "-0.0", "12345678901234567890123"]))
            case 4, 5: return .string(generator.pick(["", "id", "2026-01-01", "\u{0}", "😀", "ASC"]))
            case 6: return .array((0..<generator.below(3)).map { _ in anything(depth + 1) })
            default:
                let names = ["id", "title", "and", "or", "not", "eq", "between", "in", "_deleted", "_version", "place"]
                return .object(
                    JSONObject((0..<generator.below(3)).map { _ in (generator.pick(names), anything(depth + 1)) }))
            }
        }
        for _ in 0..<Self.perSeed {
            let (text, variables) = generator.document(generator.pick(["query", "mutation"]))
            var given = variables
            for member in variables.members where generator.chance(60) { given[member.key] = anything(0) }
            check(hub.raw(body(text, given)), "\(text) with \(JSONValue.object(given).text)")
        }
    }

    @Test func theCorpusOfBodiesIsAnswered() throws {
        let corpus = try HubCorpus.texts(".json")
        #expect(corpus.count >= 15)
        let hub = try HubFixture(ConformanceSchema.schema)
        for (name, bytes) in corpus { check(hub.raw(bytes), name) }
        var generator = DocumentGenerator(hub.core.engine.schema, seed: 3000)
        for round in 0..<300 {
            var (name, bytes) = corpus[round % corpus.count]
            if bytes.count > 20_000 { continue }
            for _ in 0...generator.below(3) where !bytes.isEmpty {
                let place = generator.below(bytes.count)
                let other = corpus[generator.below(corpus.count)].bytes
                let from = generator.below(max(1, other.count))
                switch generator.below(3) {
                case 0: bytes[place] = UInt8(generator.below(256))
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + generator.below(9)))
                default: bytes.insert(contentsOf: other[from..<min(other.count, from + 40)], at: place)
                }
            }
            check(hub.raw(bytes), "\(name), changed: \(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test func theCorpusOfFramesNeverStopsTheRegistry() throws {
        let corpus = try HubCorpus.texts(".frame")
        #expect(corpus.count >= 8)
        let hub = try HubFixture(ConformanceSchema.schema)
        var floor = RealtimeFixture(hub)
        var generator = DocumentGenerator(hub.core.engine.schema, seed: 4000)
        for round in 0..<400 as Range<UInt64> {
            let (_, bytes) = corpus[Int(round) % corpus.count]
            var mutated = bytes
            if round >= UInt64(corpus.count) {
                for _ in 0...generator.below(3) {
                    mutated[generator.below(mutated.count)] = UInt8(generator.below(256))
                }
            }
            floor.registry.opened(
                round, .object(RealtimeFixture.authorization("all")), round % 2 == 0 ? .appSync : .transport)
            floor.perform(floor.registry.received(round, Array("{\"type\":\"connection_init\"}".utf8)))
            floor.perform(floor.registry.received(round, mutated))
            for operation in floor.registry.takeOperations() {
                let answer = hub.core.execute([operation.request]).answers[0]
                floor.perform(floor.registry.answered(operation.name, answer))
            }
            floor.registry.closed(round)
        }
        #expect(floor.registry.connectionCount == 0 && floor.registry.subscriptionCount == 0)
        for frame in floor.inbox.values.joined() { #expect(frame["type"]?.string != nil) }
    }

    @Test func noDocumentCostsMoreThanItsLimits() throws {
        let schema = try HubFixture(ConformanceSchema.schema).core.engine.schema
        let limits = HubLimits()
        for (name, bytes) in try HubCorpus.texts(".json") {
            guard let text = (try? JSONValue(parsing: bytes))?["query"]?.string,
                let document = try? Document(parsing: text, tokenLimit: limits.documentTokens)
            else { continue }
            var validator = Validator(document, schema, limits, text: text)
            validator.check(document)
            #expect(validator.work <= limits.fields + 1, "\(name)")
            #expect(validator.valueWork <= 2 * (limits.documentTokens + text.utf8.count / 256), "\(name)")
            #expect(validator.errors.count <= Validator.errorLimit, "\(name)")
        }
    }
}
