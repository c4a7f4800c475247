import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// What one step of the desk came to.
public struct DeskOutcome: Sendable {
    /// Whether another step has something to do at once.
    public var hasMore = false
    /// When to step again though nothing changed; nil where nothing waits for the clock.
    public var wakeAt: DateTime?
    /// Documents to send or to look up once the transaction is durable.
    public var jobs: [ExportJob] = []
    /// The desk that works instead of this one, its own code while it waits for the server's word; nil where it works.
    public var leader: String?
    /// Whether it does nothing because not all that the server has was fetched.
    public var waitsForFetch = false

    mutating func wake(_ moment: DateTime) { wakeAt = min(wakeAt ?? moment, moment) }
}

/// The control desk: releases counts, judges lines, carries decisions out and exports results.
///
/// A value with steps over a transaction. What it keeps in memory only says where to look; lost with the process, it is
/// found again by ``start(in:)``, and every id comes from what the record names, so nothing is made twice. A caller
/// steps a copy and keeps it once the transaction is durable.
public struct Desk: Sendable {
    /// A bin in a session.
    struct Place: Hashable, Comparable, Sendable {
        let session: String
        let bin: String

        static func < (a: Place, b: Place) -> Bool { (a.session, a.bin) < (b.session, b.bin) }
    }

    /// The code it beats and leads under.
    public let code: String
    let connectors: [ConnectorOptions]
    let sha256: SHA256Hex
    /// No server stands between this desk and others, because there are none.
    let isAlone: Bool
    var isStarted = false
    /// Whether it may work.
    var leadership = DeskLeadership()
    /// Bins to judge again.
    var dirty: Set<Place> = []
    /// The passes over each bin, and where each pass is.
    var passes: [Place: Set<String>] = [:]
    var places: [String: Place] = [:]
    /// Entries that came before their pass.
    var orphans: Set<String> = []
    /// Passes over a label that no bin has: placed as soon as one has it.
    var unplaced: Set<String> = []
    /// Bins whose lines are to be counted again, and since when it may be asked for.
    var recounts: [Place: DateTime] = [:]
    /// Where each serial number was counted and by whom, and the numbers of each bin.
    var serials: [SerialNumber: [Place: Set<String>]] = [:]
    var serialsOfPlace: [Place: Set<SerialNumber>] = [:]
    /// Bins with entries whose time nobody can tell before an entry of the same start of the terminal was measured.
    var unmeasured: [TerminalStart: Set<Place>] = [:]
    /// The verified end of each supervisor's chain of decisions.
    var chains: [String: (sequence: Int, hash: String)] = [:]
    /// Bins whose session, plan or book has not arrived yet, and when to look again.
    var unready: Set<Place> = []
    var unreadyUntil = DateTime(milliseconds: 0)
    var hasDecisions = true
    var hasDocuments = true
    /// Counts with lines that EXPORT asked for and that wait for open bins; looked at again once something is settled.
    var holds: Set<String> = []
    var holdsChanged = false
    var holdsCheckedAt = DateTime(milliseconds: 0)
    /// Guided counts that are over and still show quantities, and the last line of each that was looked at.
    var showing: [String: String] = [:]
    /// Documents that are being sent or looked up by this process.
    var inFlight: Set<String> = []
    /// Documents that this desk marked as being sent, and gives out once the server has the mark.
    var marked: [String: ExportJob] = [:]
    /// Changes heard while a step runs on a copy.
    var heard: [Change] = []
    var isListening = false
    var isForgotten = false

    /// Bins judged in one step.
    static let binsPerStep = 20
    /// Records written in one step of a release.
    static let tasksPerStep = 200

    /// Makes a desk.
    ///
    /// - Parameter isAlone: whether its store has no server: there is no other desk then, and the lease needs no word.
    public init(
        code: String, connectors: [ConnectorOptions] = [], sha256: @escaping SHA256Hex, isAlone: Bool = false
    ) {
        self.isAlone = isAlone
        self.code = code
        self.connectors = connectors
        self.sha256 = sha256
    }

    /// Takes note of what a commit changed. To be called for every commit that the desk itself did not make too.
    public mutating func note(_ changes: CommittedChanges) {
        guard isStarted else { return }
        if !changes.resetModels.isDisjoint(with: Desk.watched) { isStarted = false }
        for change in changes.changes { note(change) }
    }

    /// The models whose changes the desk must hear of.
    public static let watched: Set<String> = [
        "CountPass", "CountEntry", "CodeMatch", "Decision", "StockMovement", "BookSnapshot", "BookLine", "Rule",
        "ExportDocument", "CountSession", "Bin",
    ]

    /// Takes note of one change.
    public mutating func note(_ change: Change) {
        if isListening { heard.append(change) }
        guard isStarted else { return }
        switch change.model {
        case "Decision": hasDecisions = true
        case "ExportDocument": hasDocuments = true
        case "CountPass":
            if let pass = change.record.flatMap({ try? CountPass($0) }) { index(pass, bin: pass.binID) }
            if !places.keys.contains(change.id) { orphans.insert(change.id) }
        case "Bin":
            orphans.formUnion(unplaced)
            unplaced = []
        case "CountEntry":
            guard let record = change.record, let pass = record["passID"].text else { return }
            if let start = TerminalStart(measuredIn: record) {
                dirty.formUnion(unmeasured.removeValue(forKey: start) ?? [])
            }
            if let place = places[pass] { dirty.insert(place) } else { orphans.insert(pass) }
        case "StockMovement", "BookLine":
            // A desk far from the hub may hear of a book's lines after the counts of their bins.
            guard let bin = change.record?["binID"].text else { return }
            for place in passes.keys where place.bin == bin { dirty.insert(place) }
        case "CodeMatch", "BookSnapshot", "Rule": dirty.formUnion(passes.keys)
        default: break
        }
    }

    mutating func index(_ pass: CountPass, bin: String?) {
        guard let bin else { return }
        let place = Place(session: pass.sessionID, bin: bin)
        places[pass.id] = place
        passes[place, default: []].insert(pass.id)
        dirty.insert(place)
        // A decision may wait for it.
        if orphans.remove(pass.id) != nil { hasDecisions = true }
    }

    /// Finds the work that is there; called by the first step.
    mutating func start(in tx: StoreTransaction) throws {
        (dirty, passes, places, recounts, unplaced, orphans, unready) = ([], [:], [:], [:], [], [], [])
        (serials, serialsOfPlace, unmeasured) = ([:], [:], [:])
        (hasDecisions, hasDocuments, holdsChanged, isStarted) = (true, true, true, true)
        holds = Set(try tx.query(ExportLine.self, where: ExportLine.state == .held).map(\.sessionID))
        try findShowing(in: tx)
        for session in try tx.query(CountSession.self) where Desk.isOpen(session) {
            for pass in try tx.query(CountPass.self, where: CountPass.sessionID == session.id) {
                place(pass, try bin(of: pass, in: tx))
            }
        }
    }

    mutating func place(_ pass: CountPass, _ bin: String?) {
        if bin == nil { unplaced.insert(pass.id) }
        index(pass, bin: bin)
    }

    /// Where a pass was counted: its bin, its task's, or the bin whose label was found.
    func bin(of pass: CountPass, in tx: StoreTransaction) throws -> String? {
        if let bin = pass.binID { return bin }
        if let task = try pass.taskID.flatMap({ try tx.get(BinTask.self, id: $0) }) { return task.binID }
        guard let label = pass.foundLabel else { return nil }
        let found = try tx.query(Bin.self, where: Bin.code == label || Bin.barcode == label)
        return found.count == 1 ? found[0].id : nil
    }

    static func isOpen(_ session: CountSession) -> Bool {
        switch session.state {
        case .released, .counting, .stopped, .approved, .exported: true
        case .draft, .closed, .cancelled: false
        }
    }

    /// Does a bounded piece of work.
    ///
    /// - Parameters:
    ///   - results: what came of documents given out by earlier steps.
    ///   - isFetched: whether all that the server has for the desk is here. Until then it does nothing, since on a half of
    ///     a site it would make again what another desk made; nor does it beat, so that the screens say that it is silent.
    public mutating func step(
        in tx: StoreTransaction, now: DateTime, results: [ExportResult] = [], isFetched: Bool = true
    ) throws -> DeskOutcome {
        var outcome = DeskOutcome()
        // What a connector did is written down whoever leads now.
        for result in results { try take(result, in: tx, now: now) }
        guard isFetched else {
            (isStarted, outcome.leader, outcome.waitsForFetch) = (false, code, true)
            outcome.wake(now.advanced(by: Desk.fetchPause))
            return outcome
        }
        outcome.leader = try lead(in: tx, now: now, &outcome)
        guard outcome.leader == nil else {
            // Nobody knows how long: what was marked is looked up then.
            marked = [:]
            return outcome
        }
        if !isStarted { try start(in: tx) }
        for id in orphans.sorted() {
            guard let pass = try tx.get(CountPass.self, id: id) else { continue }
            place(pass, try bin(of: pass, in: tx))
            if orphans.remove(id) != nil { hasDecisions = true }
        }
        if !unready.isEmpty, unreadyUntil <= now {
            dirty.formUnion(unready)
            (unready, hasDecisions) = ([], true)
        }
        if hasDecisions, try decideNext(in: tx, now: now, &outcome) {
            holdsChanged = true
            return outcome
        }
        if try judgeDirty(in: tx, now: now, &outcome) { return outcome }
        if try releaseRecounts(in: tx, now: now, &outcome) {
            outcome.hasMore = true
            return outcome
        }
        try cutReleased(in: tx, now: now, &outcome)
        if !unready.isEmpty { outcome.wake(unreadyUntil) }
        if hasDocuments { try sendDocuments(in: tx, now: now, &outcome) }
        if try emptyExpected(in: tx) { outcome.hasMore = true }
        return outcome
    }

    func id(_ kind: String, _ parts: [String?]) -> String { RecordID.natural(kind, parts, sha256: sha256) }

    /// Saves where something differs from what is kept.
    func put<M: Model>(_ model: M, in tx: StoreTransaction) throws {
        if let kept = try tx.get(M.self, id: model.id),
            kept.record.values.dropLast(2) == model.record.values.dropLast(2)
        {
            return
        }
        try tx.save(model)
    }

    /// Tells the supervisors, and the people it concerns, once for each matter.
    func alert(
        _ text: String, about id: String?, key: [String?], to people: [String] = [], in tx: StoreTransaction,
        now: DateTime
    ) throws {
        let messageID = self.id("Message", key)
        guard try tx.get(Message.self, id: messageID) == nil else { return }
        try tx.save(
            Message(
                id: messageID, kind: .ALERT, fromID: code, toIDs: people, audience: ["supervisors"], text: text,
                aboutID: id,
                sentAt: now))
    }
}

/// What a shell needs that hears of changes while a step runs.
extension Desk {
    /// Looks at everything again with the next step.
    mutating func forget() { (isStarted, isForgotten) = (false, true) }

    /// The copy that only gathers what is heard until the step is over.
    mutating func beginStep() {
        (heard, isListening, isForgotten) = ([], true, false)
    }

    /// Takes the stepped desk on, with what was heard meanwhile.
    mutating func endStep(_ stepped: Desk) {
        let (changes, again) = (heard, isForgotten)
        self = stepped
        if again { isStarted = false }
        for change in changes { note(change) }
    }

    /// Goes back to the desk before a step that failed.
    mutating func failStep(_ before: Desk) {
        let (changes, again) = (heard, isForgotten)
        self = before
        if again { isStarted = false }
        for change in changes { note(change) }
    }
}
