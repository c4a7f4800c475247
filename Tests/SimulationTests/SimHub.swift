import AppSync
import Basics
import Models
import SQLite
import Testing

@testable import Hub

/// The real hub over a database in memory: a restart loses everything but the database.
final class SimHub {
    private let world: SimWorld
    private var connection: Connection
    private let clock: SimClock
    private let random: SeededRandom
    /// Whether it merges no shelves: one in eight.
    private let isStrict: Bool
    private var core: HubCore
    private var registry: SubscriptionRegistry
    /// Sockets that it believes to be open.
    private var sockets: [UInt64: SimSocket] = [:]
    private var nextSocket: UInt64 = 0
    private var waiting: [(request: HubRequest, answer: (HubAnswer) -> Void)] = []
    private(set) var isUp = true
    private(set) var life = 1
    /// Sees every request as it comes.
    var onRequest: ((HubRequest) -> Void)?
    /// Told of every committed change, in order.
    var onCommit: ((CommittedChange) -> Void)?
    /// Backups, with what the oracle knew then.
    private var backups: [(database: Connection, memory: SimOracle.Memory)] = []

    init(_ world: SimWorld, seed: UInt64) throws {
        self.world = world
        connection = try Connection.memory()
        clock = world.makeClock("hub")
        random = SeededRandom(seed: seed)
        isStrict = seed % 8 == 6
        core = try Self.makeCore(connection, clock, random, isStrict: isStrict)
        registry = SubscriptionRegistry(core: core)
        keepAlive()
    }

    private static func makeCore(
        _ connection: Connection, _ clock: SimClock, _ random: SeededRandom, isStrict: Bool
    ) throws -> HubCore {
        try HubCore(
            engine: try (isStrict ? strictEngine : engine).get(),
            schema: isStrict ? SimSchema.strictSchema : SimSchema.schema, connection: connection, time: clock,
            random: random)
    }

    /// What parses and checks documents has no state of its own; it is made once for all runs.
    private static let engine = Result { try makeEngine(SimSchema.schema) }
    private static let strictEngine = Result { try makeEngine(SimSchema.strictSchema) }

    private static func makeEngine(_ schema: Schema) throws -> HubEngine {
        try HubEngine(schema, keys: try APIKeys(["counter:counters", "supervisor:supervisors", "desk:desk"]))
    }

    private func keepAlive() {
        world.after(30_000) { [unowned self] in
            if isUp { perform(registry.keepAlive()) }
            keepAlive()
        }
    }

    // MARK: Requests

    /// Takes a request; what arrives within the same few milliseconds is committed together.
    func receive(_ request: HubRequest, _ answer: @escaping (HubAnswer) -> Void) {
        guard isUp else { return }
        onRequest?(request)
        waiting.append((request, answer))
        guard waiting.count == 1 else { return }
        let life = life
        world.after(world.below(4)) { [unowned self] in
            guard life == self.life, isUp else { return }
            let batch = waiting
            waiting = []
            let (answers, events) = core.execute(batch.map(\.request))
            for event in events { onCommit?(event) }
            // The events may be on their way before the answers are.
            let isEventFirst = world.chance(500)
            if isEventFirst { perform(registry.publish(events)) }
            for (request, answer) in zip(batch, answers) { request.answer(answer) }
            if !isEventFirst { perform(registry.publish(events)) }
        }
    }

    // MARK: Sockets

    func open(_ socket: SimSocket, _ authorization: RealtimeAuthorization) {
        nextSocket += 1
        socket.hubID = nextSocket
        sockets[nextSocket] = socket
        registry.opened(nextSocket, .object(authorization))
    }

    func receive(_ frame: [UInt8], on socket: SimSocket) {
        guard isUp, let id = socket.hubID, sockets[id] === socket else { return }
        perform(registry.received(id, frame))
    }

    /// The hub notices that a socket is gone.
    func closed(_ socket: SimSocket) {
        guard let id = socket.hubID, sockets[id] === socket else { return }
        sockets[id] = nil
        registry.closed(id)
    }

    private func perform(_ actions: [RealtimeAction]) {
        for action in actions {
            switch action {
            case .send(let ids, let frame): for id in ids { sockets[id]?.sendDown(frame) }
            case .close(let id, _, let reason):
                guard let socket = sockets[id] else { continue }
                sockets[id] = nil
                registry.closed(id)
                socket.endDown(reason)
            }
        }
    }

    // MARK: Restarts

    func kill() {
        guard isUp else { return }
        isUp = false
        life += 1
        waiting = []
        for id in sockets.keys.sorted() { sockets[id]?.hubDied() }
        sockets = [:]
    }

    func restart() throws {
        guard !isUp else { return }
        core = try Self.makeCore(connection, clock, random, isStrict: isStrict)
        registry = SubscriptionRegistry(core: core)
        isUp = true
    }

    /// Takes a backup while it runs.
    func backUp(_ memory: SimOracle.Memory) throws {
        let copy = try Connection.memory()
        try connection.copy(into: copy, pagesAtOnce: 3)
        backups.append((copy, memory))
    }

    var hasBackup: Bool { !backups.isEmpty }

    /// Puts a backup back, the last one or one before it, as `bincount hub restore` does; gives what the oracle knew.
    func restore(_ number: Int) throws -> SimOracle.Memory {
        kill()
        let backup = backups[max(0, backups.count - 1 - number)]
        let copy = try Connection.memory()
        try backup.database.copy(into: copy)
        try copy.transaction(.immediate) {
            try HubLives.begin(
                on: copy, epoch: "life-\(life)", tokenKey: "key-\(life)",
                after: max(clock.now().milliseconds, core.state.stamp), above: core.state.lives.floor)
        }
        connection = copy
        return backup.memory
    }

    /// Lets tombstones be as old as they get, and prunes them: who was away must notice.
    func forgetDeletions(_ records: [(model: String, id: String)]) throws {
        for (model, id) in records {
            guard let table = core.tables.first(where: { $0.model.schema.name == model }) else { continue }
            try connection.run(
                "UPDATE \(table.table.name) SET \"_ttl\"=-1 WHERE \"_ttl\" IS NOT NULL AND \(table.table.keyColumn)=?",
                [.text(id)])
        }
        try core.prune()
    }

    /// Nothing more fits on its disk, or all does again.
    func limitDisk(_ isFull: Bool) throws {
        let pages = isFull ? try connection.value("SELECT page_count FROM pragma_page_count")?.integer ?? 0 : 1_000_000
        try connection.execute("PRAGMA max_page_count=\(pages)")
    }

    func jumpClock(_ milliseconds: Int64) { clock.jump(milliseconds) }

    /// How many live rows a model has, in the database itself.
    func rowCount(_ model: String) throws -> Int {
        let table = try #require(core.tables.first { $0.model.schema.name == model })
        return Int(
            try connection.value("SELECT count(*) FROM \(table.table.name) WHERE ifnull(\"_deleted\",0)=0")?.integer
                ?? -1)
    }
}
