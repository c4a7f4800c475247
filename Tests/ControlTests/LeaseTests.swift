import Basics
import DataStore
import Models
import Testing
import WarehouseModels

@testable import InventoryControl

/// A server that compares versions, as the hub does for the lease, and two desks' stores that send to it when told.
private final class TwoDesks {
    struct Member {
        let core: StoreCore
        var desk: Desk
        /// Changes taken from the outbox whose answers are still on their way.
        var sent: [(entry: OutboxEntry, record: Record)] = []
    }

    var now = morning
    private(set) var jobs: [String: [ExportJob]] = [:]
    var members: [String: Member] = [:]
    /// The models of which the server refuses every change.
    var refused: Set<String> = []
    private var stored: [String: (record: Record, version: Int64)] = [:]

    init(_ codes: String...) throws {
        for code in codes { try start(code) }
    }

    /// A desk's process begins, on an empty store.
    func start(_ code: String) throws {
        var options = StoreOptions(time: ManualTimeSource(morning), checksParents: false)
        options.policies = syncPolicies(for: .desk)
        let core = try StoreCore(schema: warehouse, at: .memory, options: options)
        members[code] = Member(core: core, desk: TwoDesks.desk(code))
    }

    private static func desk(_ code: String) -> Desk {
        Desk(code: code, connectors: [.csv(directory: "/nowhere")], sha256: hex)
    }

    /// The server and every store have a record.
    func put(_ record: Record) throws {
        stored[record.schema.name + record.id] = (record, 1)
        try answer()
    }

    /// The process ends without a word and begins again on its store.
    func crash(_ code: String) { members[code]?.desk = TwoDesks.desk(code) }

    /// Steps one desk; gives who works, nil for this one.
    @discardableResult
    func step(_ code: String) throws -> String? {
        let member = try #require(members[code])
        var desk = member.desk
        let outcome = try member.core.write(as: nil) { try desk.step(in: $0, now: now) }
        members[code]?.desk = desk
        jobs[code, default: []] += outcome.jobs
        return outcome.leader
    }

    /// What a desk has written reaches the server; the answers do not arrive yet.
    func send(_ code: String) throws {
        guard let member = members[code] else { return }
        while let batch = try member.core.nextMutations(limit: 100), !batch.entries.isEmpty {
            for entry in batch.entries {
                let record = try #require(try member.core.read { try $0.get(model: entry.model, id: entry.id) })
                members[code]?.sent.append((entry, record))
            }
        }
        let sent = members[code]?.sent ?? []
        for (entry, record) in sent {
            let key = entry.model + entry.id
            let known = stored[key]
            let isFresh =
                !refused.contains(entry.model)
                && (entry.kind == .create ? known == nil : known?.version == entry.baseVersion)
            if isFresh { stored[key] = (record, (known?.version ?? 0) + 1) }
            answers.append((code, entry, isFresh, stored[key]))
        }
        members[code]?.sent = []
    }

    private var answers: [(String, OutboxEntry, Bool, (record: Record, version: Int64)?)] = []

    /// The answers arrive, and every store hears of what the server has.
    func answer() throws {
        for (code, entry, isFresh, now) in answers {
            let remote = now.map { RemoteRecord(record: $0.record, version: $0.version, lastChangedAt: 1) }
            guard let remote else { continue }
            let outcome: MutationResult.Outcome =
                isFresh
                ? .applied(remote)
                : refused.contains(entry.model) ? .refused(code: "Unauthorized", message: "no") : .conflict(remote)
            try members[code]?.core.settle([MutationResult(order: entry.order, outcome: outcome)])
        }
        answers = []
        let all = stored.values.map { RemoteRecord(record: $0.record, version: $0.version, lastChangedAt: 1) }
        for member in members.values { _ = try member.core.applyRemote(all) }
    }

    func exchange() throws {
        for code in members.keys.sorted() { try send(code) }
        try answer()
    }

    /// Which of the desks work, stepped once each.
    func working() throws -> [String] {
        try members.keys.sorted().filter { try step($0) == nil }
    }

    var lease: DeskLease? { stored["DeskLeasedesk"].flatMap { try? DeskLease($0.record) } }
}

@Suite struct LeaseTests {
    @Test(arguments: ["A", "B"])
    func ofTwoDesksThatStartWithinOneRoundTripOneWorks(_ first: String) throws {
        let two = try TwoDesks("A", "B")
        let second = first == "A" ? "B" : "A"
        // Neither knows of the other, and neither works before the server's word.
        #expect(try two.working() == [])
        try two.send(first)
        try two.send(second)
        #expect(try two.working() == [])
        try two.answer()
        #expect(try two.working() == [first])
        try two.exchange()
        #expect(try two.working() == [first])
        #expect(two.lease?.holder == first)
        #expect(try two.members.values.allSatisfy { try $0.core.read { try $0.outbox(state: .parked) }.isEmpty })
    }

    @Test func aHolderThatRenewsStaysAndTheOtherStandsBy() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        for _ in 0..<20 {
            #expect(try two.working() == ["A"])
            try two.exchange()
            two.now = two.now.advanced(by: 10_000)
        }
        #expect((two.lease?.beat ?? 0) > 5)
    }

    @Test func aDeadDesksLeaseIsTakenOverOnceByOneOfTwo() throws {
        let two = try TwoDesks("A", "B", "C")
        _ = try two.step("A")
        try two.exchange()
        _ = try two.working()
        try two.exchange()
        // A dies. The others watch its lease by their own clocks, for the whole time.
        two.members["A"] = nil
        two.now = two.now.advanced(by: Desk.leaseTime - 1)
        #expect(try two.working() == [])
        two.now = two.now.advanced(by: 1)
        #expect(try two.working() == [])
        try two.send("C")
        try two.send("B")
        try two.answer()
        #expect(try two.working() == ["C"])
        #expect(two.lease?.holder == "C")
    }

    @Test func aDeskThatHearsNothingStopsBeforeItIsTakenOver() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        #expect(try two.working() == ["A"])
        // A's link is cut: its renewals never arrive.
        for _ in 0..<12 {
            two.now = two.now.advanced(by: 5000)
            let working = try two.working()
            #expect(working.count <= 1)
            try two.send("B")
            try two.answer()
        }
        #expect(try two.working() == ["B"])
        // Its late renewal is refused, and it stands by.
        try two.exchange()
        #expect(try two.working() == ["B"])
        #expect(try two.step("A") == "B")
    }

    @Test func aClockThatIsWrongTakesNothingOver() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        two.now = morning.advanced(by: 3_600_000)
        #expect(try two.step("B") == "A")
    }

    @Test func aDeskThatStartsAgainWorksOnWithItsOwnLease() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        #expect(try two.working() == ["A"])
        two.crash("A")
        // What is left of its earlier life is only as good as its renewal.
        #expect(try two.working() == [])
        try two.exchange()
        #expect(try two.working() == ["A"])
    }

    @Test func whatTwoDesksMakeOfTheSameWorkIsTheSame() throws {
        let floors = try ["DESK", "OTHER"].map { code in
            let floor = try Floor(connectors: [.csv(directory: "/nowhere")])
            floor.desk = Desk(code: code, connectors: floor.connectors, sha256: hex, isAlone: true)
            let session = try floor.release()
            try floor.count("b1", 90, by: "ann", session: session)
            for bin in ["b2", "b3"] { try floor.count(bin, 100, by: "ann", session: session) }
            try floor.decide(.export, session: session)
            return floor
        }
        #expect(try floors[0].all(BinTask.self).map(\.record) == floors[1].all(BinTask.self).map(\.record))
        #expect(try floors[0].all(LineVerdict.self).map(\.record) == floors[1].all(LineVerdict.self).map(\.record))
        #expect(try floors[0].all(ExportLine.self).map(\.id) == floors[1].all(ExportLine.self).map(\.id))
        let documents = try floors.map { try $0.all(ExportDocument.self).map(\.id) }
        #expect(documents[0].count == 1 && documents[0] == documents[1])
    }

    private func document(_ id: String, _ state: ExportState = .ready) -> Record {
        ExportDocument(
            id: id, sessionID: "s", connector: "csv", semantics: .DELTA, grain: "bin", state: state, attempts: 0
        ).record
    }

    /// Two desks, of which A works, and a document that is to be sent.
    private func withDocument(_ state: ExportState) throws -> TwoDesks {
        let two = try TwoDesks("A", "B")
        try two.put(document("doc", state))
        _ = try two.step("A")
        try two.exchange()
        return two
    }

    @Test(arguments: [ExportState.ready, .retry])
    func aDocumentIsGivenOutByNoDeskWhoseMarkTheServerLacks(_ state: ExportState) throws {
        let two = try withDocument(state)
        // A marks it, and its link is cut: whatever it does until its lease ends, it sends nothing.
        for _ in 0..<14 {
            _ = try two.working()
            try two.send("B")
            try two.answer()
            two.now = two.now.advanced(by: 5000)
        }
        #expect(try two.working() == ["B"])
        try two.send("B")
        try two.answer()
        _ = try two.working()
        #expect(two.jobs["A", default: []].isEmpty)
        #expect(two.jobs["B", default: []].map(\.act) == [.send])
        // Its link is back: it has no right to the mark any more.
        try two.exchange()
        _ = try two.working()
        #expect(two.jobs["A", default: []].isEmpty)
    }

    @Test func aDocumentThatADeadDeskMayHaveSentIsLookedUp() throws {
        let two = try withDocument(.ready)
        _ = try two.working()
        #expect(two.jobs["A", default: []].isEmpty)
        try two.exchange()
        _ = try two.working()
        #expect(two.jobs["A", default: []].map(\.act) == [.send])
        _ = try two.working()
        #expect(two.jobs["A", default: []].count == 1)
        two.members["A"] = nil
        two.now = two.now.advanced(by: Desk.leaseTime)
        _ = try two.working()
        try two.exchange()
        #expect(try two.working() == ["B"])
        #expect(two.jobs["B", default: []].map(\.act) == [.find])
    }

    @Test func aMarkThatTheServerRefusesIsShownAndHoldsUpNoOtherDocument() throws {
        let two = try withDocument(.ready)
        for number in 1..<Desk.documentsPerStep { try two.put(document("e\(number)")) }
        two.refused = ["ExportDocument"]
        _ = try two.step("A")
        try two.exchange()
        _ = try two.step("A")
        let core = try #require(two.members["A"]).core
        let shown = try core.read { try $0.query(ExportDocument.self) }
        #expect(shown.map(\.state) == Array(repeating: .unknown, count: Desk.documentsPerStep))
        #expect(shown.allSatisfy { $0.error == "it was not sent: the server refused that (Unauthorized: no)" })
        two.refused = []
        try two.put(document("next"))
        _ = try two.step("A")
        try two.exchange()
        _ = try two.step("A")
        #expect(two.jobs["A", default: []].map(\.payload.id) == ["next"])
    }

    @Test func aLeaseThatLapsesLosesWhatWasGatheredOnlyWhereAnotherDeskHadIt() throws {
        let two = try TwoDesks("A")
        _ = try two.step("A")
        try two.exchange()
        #expect(try two.step("A") == nil)
        let place = Desk.Place(session: "s", bin: "b")
        two.members["A"]?.desk.places["p"] = place
        two.now = two.now.advanced(by: Desk.leaseTime)
        #expect(try two.step("A") == "A")
        try two.exchange()
        #expect(try two.step("A") == nil)
        #expect(two.members["A"]?.desk.places == ["p": place])
        // Another takes over, works and gives it back.
        try two.start("B")
        try two.exchange()
        _ = try two.step("B")
        two.now = two.now.advanced(by: Desk.leaseTime)
        _ = try two.step("B")
        try two.exchange()
        #expect(try two.step("B") == nil)
        let other = try #require(two.members["B"])
        try other.core.write(as: nil) { try other.desk.leave(in: $0, now: two.now) }
        try two.exchange()
        #expect(try two.step("A") == "A")
        try two.exchange()
        #expect(try two.step("A") == nil)
        #expect(two.members["A"]?.desk.places == [:])
    }

    @Test func aDeskWithoutAllThatTheServerHasOnlyBeats() throws {
        let floor = try Floor()
        let order = try floor.write(.release, text: "{}")
        var desk = floor.desk
        let idle = try floor.core.write(as: nil) { try desk.step(in: $0, now: floor.now, isFetched: false) }
        #expect(idle.leader == "DESK" && idle.wakeAt != nil)
        #expect(try floor.all(DeskLease.self).isEmpty && floor.all(Device.self).map(\.code) == ["DESK"])
        #expect(try floor.decision(order).result == nil)
        floor.desk = desk
        try floor.run()
        #expect(try floor.decision(order).result == .done)
    }

    @Test func aLeaseThatIsGivenBackIsTakenAtOnce() throws {
        let two = try TwoDesks("A", "B")
        _ = try two.step("A")
        try two.exchange()
        #expect(try two.working() == ["A"])
        let core = try #require(two.members["A"]).core
        let desk = try #require(two.members["A"]).desk
        try core.write(as: nil) { try desk.leave(in: $0, now: two.now) }
        try two.send("A")
        try two.answer()
        two.members["A"] = nil
        _ = try two.working()
        try two.exchange()
        #expect(try two.working() == ["B"])
    }
}
