import Basics
import Models
import SampleModels
import Testing

@testable import DataStore

private let place: Field<Bin, Int> = Field("place")
private let code: Field<Bin, String> = Field("code")

@Suite("Behaviours of saving and deleting")
struct BehaviourTests {
    @Test("D4 D23: every scalar, null, enum, embedded value and list of each comes back from the file")
    func everything() throws {
        let core = try sampleCore()
        let position = Position(latitude: -0.5, longitude: 180)
        let home = Address(
            street: "\"é\n😀", lines: [], notes: [nil, ""], position: position, places: [position, position],
            color: .class,
            colors: [.red], since: DateTime(milliseconds: -1), height: Decimal3("0.001"),
            extra: JSONText(["a": [nil, .number("1.5")]]), flag: false, floor: Int(Int32.min), in: "x")
        func record(_ id: String, _ full: Bool) throws -> Everything {
            try Everything(
                id: id, text: "", number: Int(Int32.max), big: .max, real: -3e20, flag: true, color: .default,
                quantity: Decimal3(units: -999_999_999_999_999), price: Decimal4(units: 9_999_999_999_999_999),
                day: "2026-02-28", time: "09:41:00.5Z",
                at: DateTime(milliseconds: 1_800_000_000_001), mail: "a@b.c", json: JSONText([:]),
                phone: "+442079460958",
                url: "https://a.b/c", address: "::1", home: home, maybeText: full ? "null" : nil,
                maybeReal: full ? 0 : nil, maybeFlag: full ? false : nil, maybeColor: full ? Color.`init` : nil,
                maybeQuantity: full ? 0 : nil, maybeAt: full ? DateTime(milliseconds: 0) : nil,
                maybeJSON: full ? JSONText(nil) : nil, maybeHome: full ? home : nil, texts: full ? ["", "\\"] : [],
                numbers: full ? [1, -1] : [], reals: full ? [0.1, 2] : [], flags: full ? [true, false] : [],
                colors: full ? Color.allCases : [], quantities: full ? [Decimal3(units: 1)] : [],
                prices: full ? [nil, Decimal4(units: -1)] : [], days: full ? ["2026-02-28"] : [],
                moments: full ? [DateTime(milliseconds: 5)] : [], jsons: full ? [JSONText(["x": nil])] : [],
                homes: full ? [home, home] : [], maybeTexts: full ? [nil, "a"] : nil,
                maybeColors: full ? [nil, .red] : nil)
        }
        for full in [true, false] {
            let saved = try record("\(full)", full)
            try core.save(saved)
            #expect(try core.read { try $0.get(Everything.self, id: saved.id) } == saved)
            let entry = try #require(try core.outbox().last)
            let values = try core.context.table("Everything").wire.values(entry.fields)
            #expect(Record(schema: Everything.schema, values: values) == saved.record, "what is sent says the same")
        }
    }

    @Test("D6 D12: deletes by key, by predicate with literal wildcards, of all, and of nothing")
    func deletes() throws {
        let core = try memoryCore()
        for id in ["a%", "a_", "ab", "c"] { try core.save(Bin(id: id, code: id)) }
        func delete(_ condition: Predicate<Bin>) throws -> Int {
            try core.write(as: nil) { try $0.delete(Bin.self, where: condition) }
        }
        #expect(try delete(code.contains("%")) == 1)
        #expect(try delete(code.beginsWith("a_")) == 1)
        #expect(try delete(code.contains("nothing")) == 0)
        #expect(try core.write(as: nil) { try $0.delete(Bin.self, id: "no") } == false)
        try core.write(as: nil) { try $0.delete(Bin(id: "no")) }
        #expect(try core.read { try $0.count(Bin.self) } == 2)
        #expect(try delete(.all) == 2)
        #expect(try core.read { try $0.count(Bin.self) } == 0)
    }

    @Test(
        "D20 D22 D57: an update holds the changed fields only: scalar, nothing, list and embedded value; an equal list none"
    )
    func changedFields() throws {
        let core = try sampleCore()
        let post = Post(id: "p", title: "t", editors: ["a"], team: "x")
        try core.save(post)
        try core.sendAll()
        func sent(_ change: (inout Post.Draft) -> Void) throws -> String? {
            try core.write(as: nil) { try $0.save(post.updating(change)) }
            defer { _ = try? core.sendAll(version: 9) }
            return try core.outbox().last?.fieldsJSON
        }
        #expect(try sent { $0.title = "u" } == #"{"title":"u"}"#)
        #expect(try sent { $0.editors = ["a", "b"] } == #"{"title":"t","editors":["a","b"]}"#)
        #expect(try sent { $0.editors = ["a", "b"] } == nil, "an equal list is no change")
        #expect(try sent { $0.team = nil } == #"{"editors":["a"],"team":null}"#)
        #expect(try sent { _ in } == #"{"team":"x"}"#)
        let model = ModelSchema(
            "M", pluralName: "Ms",
            fields: [FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("home", .embedded("Home"))])
        let other = try StoreCore(
            schema: Schema(models: [model], embedded: ["Home": [FieldSchema("street", .scalar(.string))]]), at: .memory,
            options: testOptions())
        for home in [#"{"street":"a"}"#, #"{"street":"b"}"#, #"{"street":"b"}"#] {
            try other.write(as: nil) { try $0.save(Record(schema: model, values: [.text("1"), .text(home)])) }
            if try other.outbox().first?.kind == .create { try other.sendAll() }
        }
        #expect(try other.outbox().map(\.fieldsJSON) == [#"{"home":{"street":"b"}}"#])
    }

    @Test("D24: a model of another schema is refused by name")
    func otherSchema() throws {
        let core = try sampleCore()
        #expect(throws: StoreError.unknownModel("Zone")) { try core.save(Zone(id: "z")) }
        #expect(throws: StoreError.unknownModel("Zone")) { try core.read { try $0.query(Zone.self) } }
    }

    @Test("D71: a page and the same records one by one come to the same rows, whatever waits", arguments: 1...15)
    func pageEqualsSingles(_ seed: UInt64) throws {
        func run(_ asPage: Bool) throws -> [[Value]] {
            let random = SeededRandom(seed: seed)
            let core = try memoryCore { $0.random = SeededRandom(seed: 1) }
            for number in 0..<10 {
                try core.applyRemote([remote(Bin(id: "\(number)", place: 0), 1)])
                if random.below(3) == 0 { try core.save(Bin(id: "\(number)", place: 0, note: "mine")) }
                if random.below(4) == 0 { try core.write(as: nil) { _ = try $0.delete(Bin.self, id: "\(number)") } }
            }
            let records = (0..<40).map { _ in
                // A version of a record is one content.
                let (number, version) = (random.below(12), 2 + random.below(6))
                let content = SeededRandom(seed: UInt64(number * 10 + version))
                return remote(
                    Bin(id: "\(number)", place: content.below(100), note: content.below(3) == 0 ? "theirs" : nil),
                    Int64(version), deleted: content.below(5) == 0)
            }
            if asPage {
                try core.applyPage(model: "Bin", items: records, mark: nil)
            } else {
                for record in records { try core.applyRemote([record]) }
            }
            return try core.connection.rows("SELECT id, place, note, _version FROM Bin ORDER BY id")
                + core.connection.rows("SELECT model, id, version FROM _tombstone ORDER BY id")
                + core.outbox().map { [.text($0.id), .text($0.fieldsJSON), .integer($0.baseVersion ?? 0)] }
        }
        #expect(try run(true) == run(false))
    }

    @Test("D74: within one page the newest version wins, in whatever order they come, by composite keys too")
    func withinAPage() throws {
        let versions = [
            remote(Reading(site: "s", number: 1, kind: .red, value: 1), 1),
            remote(Reading(site: "s", number: 1, kind: .red, value: 2), 2),
            remote(Reading(site: "s", number: 1, kind: .red), 3, deleted: true),
        ]
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let core = try sampleCore()
            try core.applyPage(model: "Reading", items: order.map { versions[$0] }, mark: nil)
            #expect(try core.read { try $0.count(Reading.self) } == 0, "\(order)")
            let again = remote(Reading(site: "s", number: 1, kind: .red, value: 4), 4)
            try core.applyPage(model: "Reading", items: [again], mark: nil)
            #expect(try core.read { try $0.query(Reading.self) }.map(\.value) == [4])
        }
    }

    @Test(
        "D53 D89 C6: consecutive changes end with the last value and one order of versions, however sending falls between",
        arguments: 1...15)
    func consecutive(_ seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        let core = try memoryCore()
        var backend: (bin: Bin, version: Int64)?
        func send() throws {
            while let batch = try core.nextMutations(limit: 10) {
                for entry in batch.entries {
                    let version = (backend?.version ?? 0) + 1
                    #expect(entry.kind == .create ? backend == nil : entry.baseVersion == backend?.version)
                    let answer = try core.accepted(entry, version) { record in
                        guard let known = backend?.bin.record, entry.kind == .update else { return }
                        for field in Bin.schema.fields where entry.fields[field.name] == nil {
                            record[field.name] = known[field.name]
                        }
                    }
                    backend = (try Bin(answer.record), version)
                    if random.below(2) == 0 { try core.save(Bin(id: "b", place: random.below(99), note: "between")) }
                    try core.settle([MutationResult(order: entry.order, outcome: .applied(answer))])
                }
            }
        }
        for number in 0..<10 {
            try core.save(Bin(id: "b", place: number))
            if random.below(3) == 0 { try send() }
        }
        try core.save(Bin(id: "b", place: 1000, note: "last"))
        let last = try core.bin("b")
        while !core.outboxStatus.isEmpty { try send() }
        let here = try #require(try core.bin("b"))
        #expect(backend?.bin.place == here.place && backend?.bin.note == here.note)
        if here.note == "last" { #expect(here == last) }
        try core.write(as: nil) { _ = try $0.delete(Bin.self, id: "b") }
        #expect(try core.outbox().map(\.baseVersion) == [backend?.version])
    }

    @Test("D88 D90: many saves, queries and deletes at once lose nothing")
    func stress() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask { try await store.save(Bin(id: "\(number)", place: number)) }
                group.addTask { _ = try await store.query(Bin.self, where: place > number) }
                group.addTask {
                    try await store.save(Bin(id: "x\(number)"))
                    try await store.delete(Bin(id: "x\(number)"))
                }
            }
        }
        #expect(try await store.query(Bin.self, sort: [.ascending(place)]).map(\.place) == Array(0..<50))
        #expect(try await store.outboxStatus().queued == 50)
    }

    @Test(
        "D99 C14: transactions commit and roll back over several models; one inside another, and clear inside one, is an error"
    )
    func transactions() throws {
        struct Stop: Error {}
        let core = try memoryCore()
        #expect(throws: Stop.self) {
            try core.write(as: nil) { tx in
                try tx.save(Zone(id: "z"))
                try tx.save(Bin(id: "b", zoneID: "z"))
                throw Stop()
            }
        }
        #expect(try core.read { try $0.count(Zone.self) } == 0 && core.outboxStatus.isEmpty)
        try core.write(as: nil) { tx in
            try tx.save(Zone(id: "z"))
            #expect(throws: StoreError.self) { try core.write(as: nil) { try $0.save(Zone(id: "y")) } }
            #expect(throws: StoreError.self) { try core.clear(discardingUnsent: true) }
            try tx.save(Bin(id: "b", zoneID: "z"))
        }
        #expect(try core.outbox().map(\.model) == ["Zone", "Bin"])
        #expect(try core.read { try $0.count(Zone.self) } == 1)
    }

    @Test("C31: a clock that jumps a year either way changes neither the order of changes nor when they are sent")
    func clockJumps() throws {
        let time = ManualTimeSource()
        let core = try memoryCore { $0.time = time }
        let year: Int64 = 365 * 86_400_000
        for (number, jump) in [0, -year, 2 * year, -3 * year].enumerated() {
            time.jump(milliseconds: jump)
            try core.save(Zone(id: "\(number)"))
        }
        let batch = try #require(try core.nextMutations(limit: 10))
        #expect(batch.entries.map(\.id) == ["0", "1", "2", "3"])
        try core.settle(
            batch.entries.map { MutationResult(order: $0.order, outcome: .transient(reason: "link", delay: 1000)) })
        time.jump(milliseconds: 5 * year)
        #expect(try core.nextMutations(limit: 10) == nil, "a second of uptime has not passed")
        time.advance(milliseconds: 1000)
        #expect(try core.nextMutations(limit: 10)?.entries.count == 4)
    }
}
