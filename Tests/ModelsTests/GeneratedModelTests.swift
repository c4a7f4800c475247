import Basics
import Foundation
import Models
import SampleModels
import Testing
import WarehouseModels

/// Random values of the sample's models.
struct Samples {
    let random: SeededRandom

    func maybe<T>(_ value: () -> T) -> T? { random.below(3) == 0 ? nil : value() }
    func list<T>(_ value: () -> T) -> [T] { (0..<random.below(4)).map { _ in value() } }
    func text() -> String { ["", "a", "é😀", "\"q\\\n", "null"][random.below(5)] }
    func number() -> Int { Int(Int32(truncatingIfNeeded: random.next())) }
    func big() -> Int { Int(Int64(bitPattern: random.next()) >> Int64(random.below(60))) }
    func real() -> Double { [0, -1, 0.1, 1e-9, 123_456_789.25, -3e20][random.below(6)] }
    func flag() -> Bool { random.below(2) == 0 }
    func color() -> Color { Color.allCases[random.below(5)] }
    func decimal() -> Decimal3 { Decimal3(units: Int64(random.below(2_000_000)) - 1_000_000) }
    func money() -> Decimal4 { Decimal4(units: Int64(random.below(2_000_000)) - 1_000_000) }
    func time() -> DateTime { DateTime(milliseconds: Int64(random.below(1 << 41))) }
    func json() -> JSONText {
        let values: [JSONValue] = [["a": 1, "b": [nil, true]], nil, "x", .number("1.5"), [:]]
        return JSONText(values[random.below(values.count)])
    }

    func address() -> Address {
        Address(
            street: text(), lines: maybe { list(text) }, notes: maybe { list { maybe(text) } },
            position: maybe { Position(latitude: real(), longitude: real()) },
            places: list { Position(latitude: real(), longitude: real()) },
            color: maybe(color), colors: maybe { list(color) }, since: maybe(time), height: maybe(decimal),
            extra: maybe(json), flag: maybe(flag),
            floor: maybe(number), in: maybe(text))
    }

    func everything(_ id: String) throws -> Everything {
        try Everything(
            id: id, text: text(), number: number(), big: big(), real: real(), flag: flag(), color: color(),
            quantity: decimal(), price: money(),
            day: "2026-02-28", time: "09:41", at: time(), mail: "a@b.c", json: json(), phone: "+442079460958",
            url: "https://a.b/c",
            address: "::1", home: address(), maybeText: maybe(text), maybeNumber: maybe(number), maybeBig: maybe(big),
            maybeReal: maybe(real),
            maybeFlag: maybe(flag), maybeColor: maybe(color), maybeQuantity: maybe(decimal), maybePrice: maybe(money),
            maybeDay: maybe { "2026-02-28" }, maybeTime: maybe { "09:41" }, maybeAt: maybe(time),
            maybeMail: maybe { "a@b.c" }, maybeJSON: maybe(json),
            maybePhone: maybe { "+442079460958" }, maybeURL: maybe { "https://a.b/c" },
            maybeAddress: maybe { "10.0.0.1" }, maybeHome: maybe(address),
            maybeID: maybe(text), texts: list(text), numbers: list(number), bigs: list(big), reals: list(real),
            flags: list(flag), colors: list(color),
            quantities: list(decimal), prices: list { maybe(money) }, days: list { "2026-02-28" }, moments: list(time),
            jsons: list(json),
            homes: list(address), maybeTexts: maybe { list { maybe(text) } },
            maybeColors: maybe { list { maybe(color) } })
    }
}

@Suite("Generated models keep what they are given")
struct GeneratedModelTests {
    @Test("D4: a record comes back from its storage form", arguments: 1...4)
    func aRecordComesBackFromItsStorageForm(seed: Int) throws {
        let samples = Samples(random: SeededRandom(seed: UInt64(seed)))
        for number in 0..<25 {
            let model = try samples.everything("\(number)")
            let record = model.record
            #expect(record.values.count == Everything.schema.fields.count)
            #expect(record.id == "\(number)")
            #expect(try Everything(record) == model)
        }
    }

    @Test(arguments: 1...4)
    func theTypedFormAndTheWireCodecAgree(seed: Int) throws {
        let samples = Samples(random: SeededRandom(seed: UInt64(seed)))
        for number in 0..<25 {
            let record = try samples.everything("\(number)").record
            for (field, value) in zip(Everything.schema.fields, record.values) {
                let wire = sample.wireValue(of: value, for: field)
                // Through bytes, as it travels.
                let received = try JSONValue(parsing: wire.bytes)
                #expect(try sample.storageValue(of: received, for: field, in: "Everything") == value, "\(field.name)")
            }
        }
    }

    @Test("D29: a record comes back through codable", arguments: 1...3)
    func aRecordComesBackThroughCodable(seed: Int) throws {
        let samples = Samples(random: SeededRandom(seed: UInt64(seed)))
        for number in 0..<50 {
            let model = try samples.everything("\(number)")
            let bytes = try JSONEncoder().encode(model)
            #expect(try JSONDecoder().decode(Everything.self, from: bytes) == model)
            let home = try JSONDecoder().decode(Address.self, from: try JSONEncoder().encode(model.home))
            #expect(home == model.home)
        }
    }

    @Test func codableIsTheWireForm() throws {
        let entry = CountSession(
            id: "s", name: "Night", kind: .WALL, visibility: .BLIND, sharing: .CREW, state: .released,
            stoppedAt: DateTime(milliseconds: 0))
        let json = try JSONValue(parsing: Array(try JSONEncoder().encode(entry)))
        #expect(
            json == [
                "id": "s", "name": "Night", "kind": "WALL", "visibility": "BLIND", "sharing": "CREW",
                "state": "released",
                "stoppedAt": "1970-01-01T00:00:00.000Z",
            ])
    }

    @Test(arguments: [
        "{}", "{\"id\":\"s\"}", "[]",
        "{\"id\":\"s\",\"name\":1,\"kind\":\"WALL\",\"visibility\":\"BLIND\",\"sharing\":\"CREW\",\"state\":\"released\"}",
        "{\"id\":\"s\",\"name\":\"n\",\"kind\":\"wall\",\"visibility\":\"BLIND\",\"sharing\":\"CREW\",\"state\":\"released\"}",
    ])
    func whatIsNoRecordIsRefusedByCodable(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(CountSession.self, from: Data(text.utf8)) }
    }

    @Test func hugeDecimalsSurviveCodableAsText() throws {
        let cost = ItemCost(id: "c", itemID: "i", unitCost: Decimal4(units: .max), currency: "EUR")
        let bytes = try JSONEncoder().encode(cost)
        #expect(try JSONValue(parsing: Array(bytes))["unitCost"] == "922337203685477.5807")
        #expect(try JSONDecoder().decode(ItemCost.self, from: bytes) == cost)
    }

    @Test("D93: an unknown case names its field")
    func anUnknownCaseNamesItsField() throws {
        var record = CountSession(id: "s", name: "N", kind: .WALL, visibility: .BLIND, sharing: .CREW, state: .draft)
            .record
        record["kind"] = .text("HALF")
        let error = #expect(throws: FieldError.self) { try CountSession(record) }
        #expect(error.map { CountSession.schema.fields[$0.position].name } == "kind")
        record["kind"] = .null
        #expect(throws: FieldError.self) { try CountSession(record) }
    }

    @Test func aMissingTailIsNull() throws {
        let error = #expect(throws: FieldError.self) {
            try Article(Record(schema: Article.schema, values: [.text("s")]))
        }
        #expect(error?.position == 1)
    }

    @Test("D19: updating changes a copy and keeps the key")
    func updatingChangesACopyAndKeepsTheKey() {
        let task = BinTask(
            id: "t", sessionID: "s", binID: "b", binCode: "B", zoneID: "z", walkSequence: 1, state: .todo, priority: 0,
            notForIDs: [])
        let changed = task.updating {
            $0.state = .counted
            $0.notForIDs.append("ann")
        }
        #expect(changed.id == "t")
        #expect(changed.state == .counted)
        #expect(changed.notForIDs == ["ann"])
        #expect(task.state == .todo)
        #expect(changed != task)
        #expect(
            changed.updating {
                $0.state = .todo; $0.notForIDs = []
            } == task)
    }

    @Test("D19: updating passes an error on")
    func updatingPassesAnErrorOn() {
        struct Refused: Error {}
        #expect(throws: Refused.self) { try Bare(id: "x").updating { _ in throw Refused() } }
        #expect(Bare(id: "x").updating { _ in } == Bare(id: "x"))
    }

    @Test func updatingKeepsTheServersTimes() throws {
        var record = Zone(id: "z", code: "A", name: "n", walkSequence: 1).record
        record["createdAt"] = .integer(5)
        let zone = try Zone(record)
        #expect(zone.createdAt == DateTime(milliseconds: 5))
        #expect(zone.updating { $0.name = "m" }.createdAt == DateTime(milliseconds: 5))
    }

    @Test("D21: a key of its own is the ID")
    func aKeyOfItsOwnIsTheID() {
        let article = Article(sku: "4711", name: "x")
        #expect(article.id == "4711")
        #expect(article.record.id == "4711")
        let reading = Reading(site: "s", number: 7, kind: .default)
        #expect(reading.id == "s#7#default")
        #expect(reading.record.id == reading.id)
        #expect(reading.updating { $0.value = Decimal4("0.5") }.id == reading.id)
    }

    @Test func defaultsAreTheSchemas() throws {
        let model = try Samples(random: SeededRandom(seed: 1)).everything("x")
        #expect(model.defaultText == "a \"quoted\" word")
        #expect(model.defaultNumber == -7)
        #expect(model.defaultFlag)
        #expect(model.defaultColor == .default)
        #expect(model.defaultQuantity == Decimal3("1.5"))
        #expect(model.defaultReal == 2)
        #expect(model.defaultAt?.iso8601 == "2026-01-02T03:04:05.006Z")
    }

    @Test func wordsOfSwiftAreOrdinaryNames() throws {
        let words = Words(
            id: "w",
            class: "c", default: "d", init: 1, in: true, schema: "s", record: "r", encode: "e", updating: "u",
            hash: "h", protocol: .`init`,
            value: "v", values: ["w"], draft: "x", original: "o", change: "y", encoder: "z", decoder: "q")
        #expect(words.`class` == "c")
        #expect((Words.`class` == "c").node == .field("class", .equal(.text("c"))))
        #expect((Words.schemaField == "s").node == .field("schema", .equal(.text("s"))))
        #expect(try Words(Record(schema: Words.schema, values: encoded(words))) == words)
        #expect(
            words.updating {
                $0.`default` = nil; $0.`init` = 2
            }.`init` == 2)
    }

    private func encoded(_ model: some Model) -> [Value] {
        var encoder = ValueEncoder(capacity: 0)
        model.encode(into: &encoder)
        return encoder.values
    }

    @Test func recordsAreReadAndWrittenByName() {
        var record = Bare(id: "x").record
        #expect(record["id"] == .text("x"))
        #expect(record["nothing"] == .null)
        record["nothing"] = .integer(1)
        record["id"] = .text("y")
        #expect(record.values == [.text("y")])
    }
}
