import Basics
import Counting
import Crypto
import DataStore
import Models
import Testing
import WarehouseModels

@testable import InventoryControl

let hex: SHA256Hex = { SHA256.hexDigest($0) }
let morning = DateTime(milliseconds: 1_800_000_000_000)

/// A small warehouse in memory with a desk, and hand-made counters and supervisors.
final class Floor {
    let core: StoreCore
    var desk: Desk
    var now = morning
    var sequences: [String: Int] = [:]
    var chain: (sequence: Int, hash: String) = (0, "")
    var jobs: [ExportJob] = []
    /// Forgets all that the desk keeps in memory after every step.
    var crashes = false
    let connectors: [ConnectorOptions]

    init(connectors: [ConnectorOptions] = [], frozen: Bool = true, bins: Int = 3) throws {
        self.connectors = connectors
        var options = StoreOptions(time: ManualTimeSource(morning), isLocalOnly: true, checksParents: false)
        options.policies = syncPolicies(for: .desk)
        core = try StoreCore(schema: warehouse, at: .memory, options: options)
        desk = Desk(code: "DESK", connectors: connectors, sha256: hex, isAlone: true)
        observe()
        try core.write(as: nil) { tx in
            try tx.save(Zone(id: "z", code: "Z", name: "Zone", walkSequence: 1, erpSite: "1000"))
            for index in 1...bins {
                try tx.save(
                    Bin(
                        id: "b\(index)", code: "B-\(index)", zoneID: "z", walkSequence: index, kind: .shelf,
                        checkDigits: "12", active: true))
                try tx.save(
                    BookLine(id: "l\(index)", snapshotID: "book", binID: "b\(index)", itemID: "i", quantity: 100))
            }
            try tx.save(
                Item(
                    id: "i", sku: "=4711", name: "Filter", baseUnit: "EA", decimals: 0, tracking: .NONE,
                    hasExpiry: false,
                    active: true))
            try tx.save(ItemCost(id: "c", itemID: "i", unitCost: 2, currency: "EUR"))
            try tx.save(
                BookSnapshot(
                    id: "book", source: "test", sha256: "x", asOf: morning.advanced(by: -3_600_000), lines: bins,
                    movementsThrough: frozen ? nil : morning.advanced(by: 10 * 3_600_000), bookFrozen: frozen))
            try tx.save(
                Rule(
                    id: "r", kind: .decoy, test: "any-of", limits: JSONText(["recountDelayMinutes": 0]),
                    since: morning.advanced(by: -1)))
        }
    }

    private func observe() {
        _ = core.addObserver { [unowned self] in desk.note($0) }
    }

    /// Steps until there is nothing to do; gives the number of steps.
    @discardableResult
    func run(_ results: [ExportResult] = []) throws -> Int {
        var given = results
        for count in 1...2000 {
            if crashes { desk = Desk(code: "DESK", connectors: connectors, sha256: hex, isAlone: true) }
            let outcome = try step(given)
            given = []
            // Whatever was just done counts as noted; a crashed desk finds it again.
            if !outcome.hasMore { return count }
            if crashes, count > 1500 { break }
        }
        Issue.record("the desk never came to rest")
        return 0
    }

    /// One step of the desk.
    func step(_ results: [ExportResult] = []) throws -> DeskOutcome {
        var next = desk
        let outcome = try core.write(as: "DESK") { try next.step(in: $0, now: now, results: results) }
        desk = next
        jobs += outcome.jobs
        return outcome
    }

    @discardableResult
    func decide(
        _ kind: DecisionKind, session: String? = nil, _ targets: [(String, Int)] = [], by: String = "sue",
        to: String? = nil, reason: String? = nil, text: String? = nil, forged: Bool = false
    ) throws -> String {
        let id = try write(kind, session: session, targets, by: by, to: to, reason: reason, text: text, forged: forged)
        try run()
        return id
    }

    /// A decision that the desk has not carried out yet.
    @discardableResult
    func write(
        _ kind: DecisionKind, session: String? = nil, _ targets: [(String, Int)] = [], by: String = "sue",
        to: String? = nil, reason: String? = nil, text: String? = nil, forged: Bool = false
    ) throws -> String {
        chain.sequence += 1
        var decision = Decision(
            id: "S1-\(chain.sequence)", kind: kind, sessionID: session, targetIDs: targets.map(\.0),
            seenRevisions: targets.map(\.1), toPersonID: to, reason: reason, text: text, byID: by, deviceID: "S1",
            sequence: chain.sequence, at: now, previousHash: chain.hash, hash: "")
        let hash = RecordChain.hash(of: decision, sha256: hex)
        decision = decision.updating { $0.hash = forged ? "forged" : hash }
        chain.hash = hash
        try core.write(as: nil) { try $0.save(decision) }
        return decision.id
    }

    func release(_ visibility: String = "BLIND", kind: String = "SPOT") throws -> String {
        let text: JSONValue = ["name": "Count", "kind": .string(kind), "visibility": .string(visibility), "zones": []]
        let id = try decide(.release, text: text.text)
        return RecordID.natural("CountSession", [id], sha256: hex)
    }

    /// One person counts a bin on a terminal. Where nothing `runs` the desk sees it only with its next step, and has not
    /// heard of it.
    @discardableResult
    func count(
        _ bin: String, _ quantity: Decimal3, by person: String, session: String, at moment: DateTime? = nil,
        helps: String? = nil, task: String? = nil, withoutFirst: Bool = false, runs: Bool = true, offset: Int? = 0,
        boot: String = "boot", label: String? = nil
    ) throws -> String {
        let moment = moment ?? now
        let device = "T-" + person
        let pass = "\(device)-P\(sequences[device, default: 0])"
        let before = desk
        try core.write(as: nil) { tx in
            try tx.save(
                CountPass(
                    id: pass, ticket: pass, sessionID: session, taskID: task, binID: label == nil ? bin : nil,
                    foundLabel: label, counterID: person, deviceID: device, helpsPassID: helps, openedAt: moment,
                    openedBy: .BIN_SCAN))
            for kind in [EntryKind.TALLY, .CLOSE] {
                sequences[device, default: 0] += 1
                if withoutFirst, kind == .TALLY { continue }
                let made = try entry(kind, pass, device, person, session, quantity, moment)
                try tx.save(
                    made.updating {
                        $0.clockOffsetMs = offset
                        $0.bootID = boot
                    })
            }
        }
        if runs { try run() } else { desk = before }
        return pass
    }

    func entry(
        _ kind: EntryKind, _ pass: String, _ device: String, _ person: String, _ session: String, _ quantity: Decimal3,
        _ moment: DateTime
    ) throws -> CountEntry {
        let sequence = sequences[device] ?? 0
        return try CountEntry(
            id: "\(device)-\(sequence)", sessionID: session, passID: pass, kind: kind,
            itemID: kind == .TALLY ? "i" : nil, quantity: kind == .TALLY ? quantity : nil,
            baseQuantity: kind == .TALLY ? quantity : nil, entryCount: kind == .CLOSE ? 2 : nil, authorID: person,
            deviceID: device, sequence: sequence, at: moment, clockOffsetMs: 0, bootID: "boot",
            uptimeMs: String(moment.milliseconds - morning.milliseconds + 100_000_000), previousHash: "", hash: "",
            crewIDs: [], audience: [])
    }

    func verdict(_ bin: String) throws -> LineVerdict? {
        try core.read { try $0.first(LineVerdict.self, where: LineVerdict.binID == bin) }
    }

    func decision(_ id: String) throws -> Decision { try #require(try core.read { try $0.get(Decision.self, id: id) }) }
    func session(_ id: String) throws -> CountSession? { try core.read { try $0.get(CountSession.self, id: id) } }
    func all<M: Model>(_ type: M.Type) throws -> [M] {
        try core.read { try $0.query(type) }.sorted { $0.id < $1.id }
    }
}
