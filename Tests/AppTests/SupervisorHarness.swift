import Basics
import Counting
import Crypto
import Models
import Screens
import System
import Terminal
import WarehouseModels

@testable import CountingApp
@testable import DataStore
@testable import InventoryControl

/// The supervisor's view on a store in memory with a real desk beside it; counters are written by hand.
final class SupervisorHarness {
    let core: StoreCore
    let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")
    private(set) var app: SupervisorApp
    private(set) var sounds: [Sound] = []
    private(set) var hasQuit = false
    /// Whether the desk works; without it decisions stand as asked.
    var hasDesk = true
    /// Jobs wait until ``release()``.
    var holdsJobs = false
    /// What every reading job fails with.
    var readingFailure: String?
    var size = GridSize(80, 24) { didSet { send(.resized(size)) } }
    /// Documents given to the ERP and not answered.
    private(set) var exports: [ExportJob] = []
    private var desk: Desk
    private var jobs: [(Int, SupervisorJob)] = []
    private var changed: Set<String> = []
    private var sequences: [String: Int] = [:]
    private var tickets: [String: Int] = [:]
    private let login: String?
    private let answerDelay: Int64

    init(login: String? = "sue", grain: ExportGrain? = nil, answerDelay: Int64 = 0) throws {
        var options = StoreOptions(time: time, random: SeededRandom(seed: 1), isLocalOnly: true, checksParents: false)
        options.policies = syncPolicies(for: .desk)
        core = try StoreCore(schema: warehouse, at: .memory, options: options)
        var connector = ConnectorOptions(name: "erp", channel: .csv(directory: "/nowhere"))
        if let grain { connector.grain = grain }
        desk = Desk(code: "D1", connectors: [connector], sha256: { SHA256.hexDigest($0) }, isAlone: true)
        self.login = login
        self.answerDelay = answerDelay
        app = SupervisorApp(deviceCode: "S01", login: login, answerDelay: answerDelay)
        _ = core.addObserver { [weak self] committed in
            self?.desk.note(committed)
            self?.changed.formUnion(committed.changes.map(\.model))
        }
        try SupervisorFloor.fill(core)
        start()
    }

    private func start() {
        send(.started)
        send(.resized(size))
        var link = LinkState()
        link.isSyncing = true
        link.isOnline = true
        link.lastContactUptime = 0
        send(.link(link))
        settle()
    }

    /// The program ends and begins again on the same store.
    func restart() {
        jobs = []
        app = SupervisorApp(deviceCode: "S01", login: login, answerDelay: answerDelay)
        start()
    }

    static func digest(_ bytes: [UInt8]) -> String { SHA256.hexDigest(bytes) }

    // MARK: Events

    func send(_ event: AppEvent<SupervisorJob.Answer>) {
        for effect in app.handle(event, at: Moment(time)) {
            switch effect {
            case .perform(let number, let job): jobs.append((number, job))
            case .sound(let sound): sounds.append(sound)
            case .personChanged: break
            case .quit: hasQuit = true
            }
        }
        if !holdsJobs { perform() }
    }

    /// Does what was asked for, in order.
    func release() {
        holdsJobs = false
        perform()
        settle()
    }

    private func perform() {
        while !jobs.isEmpty {
            let (number, job) = jobs.removeFirst()
            let environment = JobEnvironment(
                time: time, random: SeededRandom(seed: 1), deviceCode: "S01", clockOffsetMilliseconds: 0,
                sha256: { SHA256.hexDigest($0) })
            var result: Result<SupervisorJob.Answer, JobFailure>
            do {
                if let readingFailure, !job.writes { throw JobFailure(readingFailure) }
                result = .success(
                    job.writes
                        ? try core.write(as: job.identity) { try job.perform(in: $0, environment) }
                        : try core.read { try job.perform(in: $0, environment) })
            } catch let failure as JobFailure {
                result = .failure(failure)
            } catch {
                result = .failure(JobFailure("\(error)"))
            }
            send(.answered(job: number, result))
        }
    }

    /// Lets the desk work until it rests, and tells the app what changed.
    func settle() {
        for _ in 0..<200 where hasDesk {
            var next = desk
            guard let outcome = try? core.write(as: "D1", { try next.step(in: $0, now: time.now()) }) else { break }
            desk = next
            exports += outcome.jobs
            if !outcome.hasMore { break }
        }
        while !changed.isEmpty {
            let models = changed
            changed = []
            send(.changed(models: models))
        }
    }

    func type(_ keys: String) {
        for name in keys.split(separator: " ") {
            if let key = Key(name: String(name)) {
                send(.input(.key(key)))
            } else {
                for character in name { send(.input(.key(.character(character)))) }
            }
            settle()
        }
    }

    /// Types a text into the field in front, blanks and all.
    func write(_ text: String) { for character in text { send(.input(.key(.character(character)))) } }

    func pass(seconds: Int64) {
        time.advance(milliseconds: seconds * 1000)
        send(.tick)
        settle()
    }

    var picture: [String] {
        let view = app.view(at: Moment(time))
        return AppScreens.shipped.render(view.screen, size: size, state: view.state, language: app.language).rows
    }

    // MARK: Others on the floor

    /// One person counts a bin on a terminal of the same name; entries named in `without` never arrive.
    @discardableResult
    func count(
        _ bin: String, _ quantity: Decimal3, by person: String, item: String = "filter", helps: String? = nil,
        companion: String? = nil, takesOver: String? = nil, goesOn: Bool = false, label: String? = nil,
        closes: Bool = true,
        without: Set<EntryKind> = [], code: String? = nil, part: String? = nil
    ) throws -> String {
        let device = "T-" + person
        tickets[device, default: 0] += 1
        let pass = RecordID.ticket(device: device, number: tickets[device] ?? 0)
        let session = try core.read { try $0.query(CountSession.self) }.last?.id ?? ""
        let old = try core.read { tx in try takesOver.flatMap { try tx.get(CountPass.self, id: $0) } }
        let through = goesOn ? sequences[old?.deviceID ?? ""] ?? 0 : 0
        try core.write(as: person) { tx in
            try tx.save(
                CountPass(
                    id: pass, ticket: pass, sessionID: session, binID: label == nil ? bin : nil, foundLabel: label,
                    counterID: person, companionID: companion, deviceID: device, helpsPassID: helps,
                    takesOverPassID: takesOver, takesOverThrough: takesOver == nil ? nil : through,
                    openedAt: time.now(),
                    openedBy: .BIN_SCAN))
        }
        try enter(pass, quantity, by: person, item: item, closes: closes, without: without, code: code, part: part)
        return pass
    }

    /// Entries for a pass: a count, and the close.
    func enter(
        _ pass: String, _ quantity: Decimal3, by person: String, item: String = "filter", closes: Bool = true,
        without: Set<EntryKind> = [], code: String? = nil, part: String? = nil
    ) throws {
        let device = "T-" + person
        try core.write(as: person) { tx in
            let session = try tx.get(CountPass.self, id: pass)?.sessionID ?? ""
            let known = try tx.count(CountEntry.self, where: CountEntry.passID == pass)
            for kind in [code == nil ? EntryKind.TALLY : .UNKNOWN, .CLOSE] where kind != .CLOSE || closes {
                sequences[device, default: 0] += 1
                time.advance(milliseconds: 1000)
                if without.contains(kind) { continue }
                let sequence = sequences[device] ?? 0
                let counts = kind != .CLOSE
                try tx.save(
                    CountEntry(
                        id: "\(device)-\(sequence)", sessionID: session, passID: pass, kind: kind,
                        itemID: kind == .TALLY ? item : nil, quantity: counts ? quantity : nil,
                        baseQuantity: counts ? quantity : nil, code: counts ? code : nil,
                        reason: counts ? nil : part, entryCount: counts ? nil : known + 2, authorID: person,
                        deviceID: device, sequence: sequence, at: time.now(), clockOffsetMs: 0, bootID: "boot",
                        uptimeMs: String(time.uptime()), previousHash: "", hash: "", crewIDs: [], audience: []))
            }
        }
        try beat(person)
        settle()
    }

    /// The person's terminal reports itself.
    func beat(
        _ person: String, bin: String? = nil, unsent: Int = 0, parked: Int = 0, out: Bool = false
    ) throws {
        let code = "T-" + person
        let now = time.now()
        let sequence = sequences[code] ?? 0
        try core.write(as: nil) { tx in
            try tx.save(
                Device(
                    id: code, code: code, kind: .terminal, personID: person, binID: bin, lastSequence: sequence,
                    unsent: unsent, parked: parked, beatAt: now, version: "1", checkedOutAt: out ? now : nil))
        }
        settle()
    }

    func say(_ text: String, from person: String, to: String? = nil) throws {
        let now = time.now()
        try core.write(as: person) { tx in
            try tx.save(
                Message(
                    id: "M-\(now.milliseconds)", kind: .TEXT, fromID: person, toIDs: to.map { [$0] } ?? [],
                    audience: ["counters", "supervisors"], text: text, sentAt: now))
        }
        settle()
    }

    /// The ERP answers every document: it takes all lines, or refuses those of one bin.
    func answerERP(refusing bin: String? = nil, error: String = "period closed") throws {
        let given = exports
        exports = []
        for job in given {
            let lines = job.payload.lines.filter { $0.bin == bin && bin != nil }.map {
                ExportResult.LineResult(id: $0.id, isAccepted: false, error: error)
            }
            let result = ExportResult(document: job.payload.id, answer: .confirmed(reference: "E1"), lines: lines)
            var next = desk
            _ = try core.write(as: "D1") { try next.step(in: $0, now: time.now(), results: [result]) }
            desk = next
        }
        settle()
    }

    // MARK: What the store holds

    func all<M: Model>(_ type: M.Type) -> [M] { (try? core.read { try $0.query(M.self) }) ?? [] }
    var decisions: [Decision] { all(Decision.self).sorted { $0.sequence < $1.sequence } }
}
