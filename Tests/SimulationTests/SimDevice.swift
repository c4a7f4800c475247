import AppSync
import Basics
import Glibc
import Models
import SQLite
import SyncEngine

@testable import DataStore
@testable import Hub

/// A terminal, a supervisor's screen or a desk: the real store and the real session over a database in memory, which is
/// all that survives a kill.
final class SimDevice {
    let name: String
    let role: SimRole
    /// Who is signed in; the other one may come and take over.
    private(set) var person: String
    let persons: [String]
    /// Whether that one is signed out, and nobody else in.
    private(set) var isSignedOut = false
    /// Whom its sessions were told of last.
    private var lastNamed: String
    let world: SimWorld
    let link: SimLink
    let clock: SimClock
    private let options: StoreOptions
    private let tables: [String: StoreTable]
    private let connection: Connection
    private(set) var core: StoreCore
    private var session: SyncSession?
    private var sockets: [Int: SimSocket] = [:]
    private var inbox: [Int: [[UInt8]]] = [:]
    /// How often it was started or killed.
    private(set) var life = 0
    /// Counts the sessions: what was begun in another is not heard any more.
    private var run = 0
    private(set) var isUp = false
    /// Whether its disk is full, or was when an answer came that it could not keep.
    private(set) var isDiskFull = false
    private(set) var status = SyncStatus()
    /// Chance in a thousand that the device dies while it performs an action.
    var killChance = 0
    private let oracle: SimOracle
    /// Manual syncs that were not answered yet.
    private(set) var asked: Set<Int> = []
    private var lastAsked = 0
    private var scope = SyncScope.all
    private var scopes = 0
    /// Whether other policies hold than the role's.
    private var hasOtherPolicies = false
    /// What the conflict handler decided against and the oracle was not told of yet.
    private let decided = Locked<[Record]>([])
    /// The key that it shows.
    private let key: Locked<String>
    /// Whether its key was refused at some time: answers to that may come late.
    private(set) var hadExpiredKey = false

    init(_ name: String, _ role: SimRole, _ world: SimWorld, _ hub: SimHub, _ oracle: SimOracle, seed: UInt64) throws {
        self.name = name
        self.role = role
        key = Locked(role.key)
        self.world = world
        self.oracle = oracle
        person = "P-" + name
        lastNamed = person
        persons = ["P-" + name, "Q-" + name]
        link = SimLink(world, hub, SimWeather(world))
        clock = world.makeClock(name)
        options = StoreOptions(
            time: clock, random: SeededRandom(seed: seed), policies: role.policies,
            conflictHandler: { [decided] in Self.resolve($0, seed, decided) })
        tables = Self.tables[role] ?? [:]
        connection = try StoreOpening.open(SimSchema.schema, MemoryStorage(), tables, options).connection
        core = try StoreCore(
            StoreContext(schema: SimSchema.schema, options: options, connection: connection, tables: tables))
    }

    /// The statements of each role's tables, made once for all runs.
    private static let tables = Dictionary(
        uniqueKeysWithValues: SimRole.allCases.map { role in
            let options = StoreOptions(time: ManualTimeSource(), policies: role.policies)
            return (role, StoreContext.tables(SimSchema.schema, options))
        })

    /// The handler of a device: one in three lets the backend's record stand (0), one sends its change again (1), and one
    /// sends a record that has both (2).
    static func handler(of seed: UInt64) -> Int { Int(((seed &* 0x9E37_79B9_7F4A_7C15) >> 60) % 3) }

    /// What the device's own handler says to a conflict.
    private static func resolve(
        _ conflict: Conflict, _ seed: UInt64, _ decided: Locked<[Record]>
    ) -> ConflictResolution {
        let kind = handler(of: seed)
        if kind == 0 { return .applyRemote }
        // Whoever decides against a record has seen it.
        decided.withLock { $0.append(conflict.remote.record) }
        switch kind {
        case 1: return .retryLocal
        default:
            guard conflict.entry.kind == .update, !conflict.remote.deleted, let local = conflict.local else {
                return .retryLocal
            }
            var both = conflict.remote.record
            for field in conflict.entry.fields.keys { both[field] = local[field] }
            return .retry(both)
        }
    }

    // MARK: Life

    func boot() {
        guard !isUp else { return }
        do {
            core = try StoreCore(
                StoreContext(schema: SimSchema.schema, options: options, connection: connection, tables: tables))
            // It is alone with its store.
            try core.lead()
        } catch {
            oracle.fail("\(name) cannot open its store again: \(error)")
            return
        }
        isUp = true
        hasOtherPolicies = false
        life += 1
        _ = core.addObserver { [unowned self] changes in oracle.saw(changes, on: self) }
        core.onEvent = { [unowned self] event in oracle.heard(event, on: self) }
        start()
    }

    /// Begins to synchronise, with a session of its own as the driver does; any number of calls.
    func start() {
        guard isUp, session == nil else { return }
        run += 1
        let run = run
        var options = SyncOptions { [name, key] person in
            RealtimeAuthorization(host: "hub", apiKey: key.current, person: person, device: name)
        }
        options.person = isSignedOut ? nil : person
        options.scope = scope
        options.groups = [role.group]
        options.pageSize = 7
        options.requestLimit = 10_000
        session = SyncSession(core: core, options: options) { [unowned self] action in
            if run == self.run { perform(action) }
        }
        keepingOwn("a start") { tell(.start) }
    }

    /// Ends synchronising; the device goes on being used. Any number of calls.
    func stop() {
        guard isUp, session != nil else { return }
        tell(.stop)
        endSession()
    }

    private func endSession() {
        run += 1
        session = nil
        asked = []
        for socket in sockets.values { socket.endUp() }
        sockets = [:]
        inbox = [:]
    }

    /// Empties the store as the public `clear` does: at rest, and refused while something is unsent unless told otherwise.
    func clear(discarding: Bool) {
        guard isUp else { return }
        let wasRunning = session != nil
        stop()
        guard isUp else { return }
        do {
            try core.clear(discardingUnsent: discarding)
            if discarding { oracle.discarded(by: self) }
        } catch {
            if core.outboxStatus.isEmpty || discarding { oracle.refused(error, on: self) }
        }
        if wasRunning { start() }
    }

    /// Changes that were written to a file and not taken in again, where the store was cleared.
    var file: [String]?
    /// A copy of what waited once.
    var kept: [String]?

    /// Empties the store, with what it had not sent in a file, as the public `clear(.export)` does.
    func carryAway() {
        guard isUp, !isDiskFull, file == nil else { return }
        let wasRunning = session != nil
        stop()
        guard isUp else { return }
        do {
            let lines = try core.read { try $0.exportedLines() }
            try core.clear(discardingUnsent: true)
            file = lines
            oracle.carried[name] = oracle.nextStep()
        } catch {
            oracle.refused(error, on: self)
        }
        if wasRunning { start() }
    }

    /// Somebody asks for a sync and waits for its result.
    func askForSync() {
        guard isUp, session != nil else { return }
        lastAsked += 1
        asked.insert(lastAsked)
        tell(.syncNow(id: lastAsked, models: world.chance(500) ? nil : ["Tag", "CountEntry"]))
    }

    /// Keeps only some of the shelves, or all again: by their key, or by what others and it itself count there.
    func changeScope() {
        if scope == .all {
            scopes += 1
            scope = SyncScope(filters: ["Shelf": scopes.isMultiple(of: 2) ? Self.someShelves : Self.fullShelves])
        } else {
            scope = .all
        }
        if isUp, session != nil { tell(.scopeChanged(scope)) }
    }

    static let someShelves = PredicateNode.field("id", .beginsWith("shelf-T01-0"))
    static let fullShelves = PredicateNode.field("count", .greaterOrEqual(.integer(5)))
    /// Whether it keeps a record of what it may read.
    func keeps(_ record: Record) -> Bool {
        guard record.schema.name == "Shelf", let filter = scope.filters["Shelf"] else { return true }
        return filter == Self.someShelves ? record.id.hasPrefix("shelf-T01-0") : (record["count"].integer ?? 0) >= 5
    }

    /// Receives tags no more, or sends them no more, or neither; or all again.
    func changePolicies() {
        setPolicies(world.pick([[:], ["Tag": .upstream], ["Tag": .downstream], ["Tag": SyncPolicy.none]]))
    }

    /// Its key is refused from now on, until it has another.
    func expireKey() {
        hadExpiredKey = true
        key.withLock { $0 = "expired" }
    }

    /// Somebody gives it a key that is accepted, whether or not it needs one.
    func renewKey() {
        key.withLock { [role] key in key = role.key }
        tell(.credentialsChanged)
    }

    /// Makes the role's own policies hold again.
    func resetPolicies() {
        if hasOtherPolicies { setPolicies([:]) }
    }

    /// Whether changes of a model leave the device now.
    func sends(_ model: String) -> Bool { core.options.policy(of: SimSchema.model(model)).sends }

    private func setPolicies(_ others: [String: SyncPolicy]) {
        guard isUp else { return }
        do {
            try core.setPolicies(role.policies.merging(others) { $1 }, as: person)
            hasOtherPolicies = !others.isEmpty
        } catch {
            oracle.refused(error, on: self)
        }
        if session != nil { tell(.policiesChanged) }
    }

    /// No page more than there is.
    func fillDisk() {
        guard !isDiskFull else { return }
        isDiskFull = true
        limitDisk("(SELECT page_count FROM pragma_page_count)")
        // What fits into the pages that are there fails at the log of a real file.
        hinder("CREATE TEMP TRIGGER full BEFORE DELETE ON \"_outbox\" BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    }

    private func hinder(_ sql: String) {
        do { try connection.execute(sql) } catch { oracle.fail("\(name)'s disk cannot be full: \(error)") }
    }

    func freeDisk() {
        guard isDiskFull else { return }
        isDiskFull = false
        limitDisk(nil)
        hinder("DROP TRIGGER full")
    }

    private func limitDisk(_ pages: String?) {
        do {
            let limit = try pages.map { try connection.value("SELECT \($0)")?.integer ?? 0 } ?? 1_000_000
            try connection.execute("PRAGMA max_page_count=\(limit)")
        } catch {
            oracle.fail("\(name)'s disk cannot be limited: \(error)")
        }
    }

    /// Kill -9: nothing after this moment happens, nothing before it that was committed is undone.
    func kill() {
        guard isUp else { return }
        isUp = false
        life += 1
        core.close()
        endSession()
        let life = life
        world.after(500 + world.below(20_000)) { [unowned self] in
            if life == self.life { boot() }
        }
    }

    private func tell(_ event: SyncEvent) {
        guard isUp else { return }
        trace("<- \(event)")
        session?.handle(event)
        let records = decided.withLock { records in
            defer { records = [] }
            return records
        }
        for record in records { oracle.sawRecord(record, on: self) }
    }

    /// The other person takes over the device.
    func switchPerson() {
        guard isUp else { return }
        person = persons.first { $0 != person } ?? person
        isSignedOut = false
        if session != nil { lastNamed = person }
        tell(.personChanged(person))
    }

    /// Nobody is signed in any more, or the same person again.
    func signIn(_ isIn: Bool) {
        isSignedOut = !isIn
        keepingOwn(isIn ? "a sign-in" : "a sign-out") { tell(.personChanged(isIn ? person : nil)) }
    }

    /// Does what must not take from here what its person has counted, while nobody else was named.
    private func keepingOwn(_ what: String, _ body: () -> Void) {
        let isSame = isSignedOut || lastNamed == person
        let before = ownEntries
        body()
        if session != nil, !isSignedOut { lastNamed = person }
        let lost = before.subtracting(ownEntries)
        if isSame, isUp, !lost.isEmpty { oracle.fail("\(what) took \(lost.sorted()) from \(name)") }
    }

    private var ownEntries: Set<String> {
        guard isUp, let entries = try? core.read({ try $0.query(model: "CountEntry") }) else { return [] }
        return Set(entries.filter { $0["authorID"] == .text(lastNamed) }.map(\.id))
    }

    /// `SIM_TRACE=T06` prints what a device hears and wants, in a replayed run.
    private func trace(_ text: @autoclosure () -> String) {
        guard let wanted = SimDevice.traced, wanted == name else { return }
        let readable = text().replacing(/\[(\d+, ){8,}\d+\]/) { match in
            String(decoding: match.output.0.matches(of: /\d+/).compactMap { UInt8($0.output) }, as: UTF8.self)
        }
        print("\(world.now) \(name) \(readable)")
    }

    private static let traced = getenv("SIM_TRACE").map { String(cString: $0) }

    /// One durable transaction, as the app would make it; false where it did not happen.
    ///
    /// - Parameter isExpected: Of which refusals nobody is surprised.
    @discardableResult
    func write(
        refusing isExpected: (StoreError) -> Bool = { _ in false }, _ body: (StoreTransaction) throws -> Void
    ) -> Bool {
        guard isUp else { return false }
        do {
            try core.write(as: person, body)
        } catch {
            if let error = error as? StoreError, isExpected(error) { return false }
            oracle.refused(error, on: self)
            return false
        }
        // A commit that nobody was told of yet must not be lost either.
        if world.chance(killChance) { kill() } else { tell(.localCommit) }
        return true
    }

    /// Nothing of it waits, fetches or connects.
    var isQuiet: Bool {
        guard isUp, let session else { return false }
        // A socket that was cut in silence looks alive until its signs of life are missed.
        return session.isSettled && sockets.values.allSatisfy { !$0.isCut }
    }

    // MARK: The session's wishes

    private func perform(_ action: SyncAction) {
        if world.chance(killChance) { return kill() }
        trace("-> \(action)")
        let run = run
        switch action {
        case .http(let id, let body, let person, _, _):
            let request = HubRequest(apiKey: key.current, person: person, device: name, body: body)
            link.send(request) { [unowned self] outcome in
                guard run == self.run else { return }
                switch outcome {
                case .answer(let answer): tell(.httpAnswer(id: id, answer))
                case .failure(let reason): tell(.httpFailed(id: id, reason: reason))
                }
            }
        case .cancelHTTP: break
        case .openSocket(let number, let person):
            let authorization = RealtimeAuthorization(host: "hub", apiKey: key.current, person: person, device: name)
            sockets[number] = link.connect(authorization) { [unowned self] event in
                if run == self.run { heard(event, number) }
            }
        case .sendText(let number, let text): sockets[number]?.sendUp(text)
        case .closeSocket(let number): sockets.removeValue(forKey: number)?.endUp()
        case .wake(let milliseconds):
            world.after(Int(milliseconds)) { [unowned self] in
                if run == self.run { tell(.wake) }
            }
        case .status(let status): self.status = status
        case .event(let event): oracle.heard(event, on: self)
        case .synced(let id, _): asked.remove(id)
        }
    }

    private func heard(_ event: SimSocket.Event, _ number: Int) {
        switch event {
        case .opened: tell(.socketOpened(socket: number))
        case .closed(let reason):
            sockets[number] = nil
            flush(number)
            tell(.socketClosed(socket: number, reason: reason))
        case .text(let frame):
            // Frames gather while the store is busy.
            let isFirst = inbox[number, default: []].isEmpty
            inbox[number, default: []].append(frame)
            guard isFirst else { return }
            let run = run
            world.after(world.below(3)) { [unowned self] in
                if run == self.run { flush(number) }
            }
        }
    }

    private func flush(_ number: Int) {
        guard let frames = inbox.removeValue(forKey: number), !frames.isEmpty else { return }
        tell(.socketText(socket: number, frames: frames))
    }

    /// The rows of a model as they are here, with their versions.
    func rows(_ model: String) throws -> [String: StoreTable.Row] {
        var result: [String: StoreTable.Row] = [:]
        guard let table = tables[model] else { return result }
        for record in try core.read({ try $0.query(model: model) }) {
            result[record.id] = try table.fetch(record.id, on: connection)
        }
        return result
    }

    /// The keys of records that wait for a person, by model.
    func parked() throws -> [(model: String, id: String)] {
        try core.read { try $0.outbox(state: .parked) }.map { ($0.model, $0.id) }
    }

    var outbox: OutboxStatus { core.outboxStatus }
}
