import AppSync
import Basics
import Models
import SQLite
import System
import Transport

/// The hub's own thread: it gathers what waits, commits it at once, answers, and feeds the subscriptions.
///
/// While one commit is on its way to the disk, the next one's requests gather; that is the whole of group commit.
// Guard of @unchecked Sendable: `queue` is behind a lock; everything else is touched only on `executor`'s thread.
final class HubWorker: @unchecked Sendable {
    struct Queue: Sendable {
        var events: [HubEvent] = []
        var requests = 0
        /// Queries that wait for the reader, and those it has answered.
        var reads = 0
        var answeredReads: UInt64 = 0
        var isScheduled = false
        var isStopped = false
        /// What messages of sockets hold that wait here, and those that wait for the reader.
        var messageBytes = SocketBytes()
        var readBytes = SocketBytes()
    }

    private let executor = ThreadExecutor(name: "hub-commit")
    let queue = Locked(Queue())
    let queueLimit: Int
    private let batchLimit: Int
    let log: Log
    let time: any TimeSource
    let statistics = Locked(HubGauges())
    /// What was on the disk when that was last looked at, and whether it is being looked at.
    let disk: Locked<(use: HubDiskUse, isLooking: Bool)>
    /// What requests took.
    let meter: RequestMeter
    let directory: String
    private(set) var epoch = ""
    private var commitsSeen: UInt64 = 0

    /// Reads beside the commits.
    let reader: HubReader
    /// What a new schema's functions are checked against.
    let resolverOptions: ResolverOptions
    /// The schema that is served, and the schema's text at the start.
    let served: Locked<ServedSchema>
    let startText: String?
    /// Told while a change of the tables gets on.
    let progress: (@Sendable () -> Void)?
    let authenticator: Authenticator
    let limits: HubLimits
    /// One for all schemas, so that nobody's allowance of lines begins anew.
    let accessLog = AccessLog()
    let checkpointer: HubCheckpointer
    /// Calls the site's functions.
    let functions: FunctionRunner
    /// Who waits for the answers of requests that wait for functions.
    var waiting: [UInt64: Asking] = [:]
    var checkpointMark = PageMark.start
    var isCheckpointing = false

    var core: HubCore?
    var registry: SubscriptionRegistry?
    var sockets: [UInt64: WebSocketConnection] = [:]
    /// Frames whose sender cannot be judged yet, by socket, and their bytes.
    var held: [UInt64: [HeldFrame]] = [:]
    var heldBytes = SocketBytes()
    /// Calls back when credentials can be judged; nil where they always can.
    let whenReady = Locked<WhenReady?>(nil)

    /// Opens the database on the worker's thread.
    init(_ options: HubOptions, _ authenticator: Authenticator) throws {
        queueLimit = options.limits.waitingRequests
        batchLimit = options.limits.requestsPerCommit
        log = options.log
        time = options.time
        meter = RequestMeter(
            slowMilliseconds: options.slowMilliseconds, log: options.log, time: options.time)
        resolverOptions = options.resolvers
        startText = options.schemaText
        progress = options.progress
        self.authenticator = authenticator
        limits = options.limits
        served = Locked(ServedSchema(schema: options.schema, text: options.schemaText))
        directory = options.dataDirectory
        try HubRestore.finishLocked(options.dataDirectory)
        try HubRestore.forgetUnused(options.dataDirectory)
        let path = HubBackup.database(in: options.dataDirectory)
        try HubDirectory.makeDatabase(path)
        disk = Locked((HubDiskUse(options.dataDirectory), false))
        let opened = Opened()
        let accessLog = accessLog
        functions = try FunctionRunner(options.resolvers.functions, time: options.time, log: options.log)
        do {
            (reader, checkpointer) = try executor.runBlocking {
                var settings = Connection.Options()
                settings.cacheKilobytes = 65_536
                // Only where the checkpointer cannot keep up.
                settings.checkpointPages = 16_000
                let connection = try Connection.open(path: path, options: settings)
                connection.onProgress(options.progress)
                defer { connection.onProgress(nil) }
                let schema = try ServedSchema(
                    startedWith: options.schema, text: options.schemaText, on: connection)
                let core: HubCore
                do {
                    core = try HubCore(
                        engine: try HubEngine(
                            schema.schema, authenticator, limits: options.limits, accessLog: accessLog),
                        schema: schema.schema, connection: connection,
                        time: options.time, random: options.random, log: options.log, resolvers: options.resolvers)
                } catch {
                    throw schema.explained(error)
                }
                try schema.settle(connection, options.log)
                try RuleGroups.keep(schema.schema, on: connection)
                opened.schema = schema
                let reader = try HubReader(
                    path: path, engine: core.engine, tokenKey: core.state.tokenKey, epoch: core.epoch,
                    lives: core.state.lives, time: options.time)
                core.retention = options.horizonMilliseconds
                opened.core = core
                return (reader, try HubCheckpointer(path: path))
            }
        } catch {
            executor.stop()
            functions.stop()
            throw error
        }
        core = opened.core
        if let schema = opened.schema { served.withLock { $0 = schema } }
        epoch = opened.core?.epoch ?? ""
        registry = opened.core.map { SubscriptionRegistry(core: $0) }
    }

    /// Carries the core out of the thread that made it.
    // Guard of @unchecked Sendable: written on the executor's thread before `runBlocking` returns, read after it.
    private final class Opened: @unchecked Sendable {
        var core: HubCore?
        var schema: ServedSchema?
    }

    /// Adds an event; false where the hub is overloaded and a request was not taken.
    @discardableResult
    func add(_ event: HubEvent) -> Bool {
        let verdict: (taken: Bool, schedule: Bool) = queue.withLock { queue in
            guard !queue.isStopped else { return (false, false) }
            switch event {
            case .request, .operation:
                guard queue.requests < queueLimit else { return (false, false) }
                queue.requests += 1
            default: break
            }
            queue.events.append(event)
            defer { queue.isScheduled = true }
            return (true, !queue.isScheduled)
        }
        if verdict.schedule { executor.async { [self] in drain() } }
        return verdict.taken
    }

    /// Calls `body` on this thread when it is free.
    func whenAlive(_ body: @escaping @Sendable () -> Void) { executor.async(body) }

    /// Finishes what was taken, closes the sockets, and ends the thread.
    func stop() {
        let isFirst = queue.withLock { queue in
            defer { queue.isStopped = true }
            return !queue.isStopped
        }
        guard isFirst else { return }
        reader.stop()
        checkpointer.stop()
        functions.stop()
        try? executor.runBlocking { [self] in
            while turn() {}
            finish(core?.dismissWaiting() ?? [])
            if let registry { perform(registry.shutdown()) }
            registry = nil
            core = nil
            sockets = [:]
        }
        executor.stop()
    }

    /// Takes one turn, and queues for the next behind whoever else waits for this thread: a hub that has more to do with
    /// every turn is alive all the same, and says so.
    private func drain() {
        if turn() { executor.async { [self] in drain() } }
    }

    /// Handles what waits; false where that is nothing.
    private func turn() -> Bool {
        let events = queue.withLock { queue -> [HubEvent] in
            let events = queue.events
            queue.events = []
            queue.requests = 0
            queue.messageBytes.giveBackAll()
            if events.isEmpty { queue.isScheduled = false }
            return events
        }
        guard !events.isEmpty else { return false }
        handle(events)
        return true
    }

    private func handle(_ events: [HubEvent]) {
        var requests: [HubRequest] = []
        var asking: [Asking] = []
        var answered: [(id: FunctionCall.ID, outcome: FunctionOutcome)] = []
        var prunes = false
        /// Requests of this turn: what came over sockets waited uncounted, and counts now.
        var taken = 0
        func take(_ bytes: [UInt8], _ socket: WebSocketConnection, _ arrived: ContinuousClock.Instant) {
            for operation in receive(bytes, from: socket, arrived) where !read(operation) {
                guard taken < queueLimit else {
                    refuse(operation)
                    continue
                }
                taken += 1
                requests.append(operation.request)
                asking.append(Asking(.socket(operation.name), operation.request))
            }
        }
        for event in events {
            switch event {
            case .request(let request, let responder):
                taken += 1
                requests.append(request)
                asking.append(Asking(.http(responder), request))
            case .opened(let socket, let credentials, let mark):
                sockets[socket.id] = socket
                let speaksTransport = socket.subprotocol == GraphQLTransportFrame.subprotocolName
                registry?.opened(
                    socket.id, credentials, speaksTransport ? .transport : .appSync, id: mark.id, from: mark.address)
            case .received(let socket, let bytes, let arrived):
                if isReady(HeldFrame(bytes: bytes, arrived: arrived), of: socket) { take(bytes, socket, arrived) }
            case .judged(let socket): release(socket) { take($0.bytes, socket, $0.arrived) }
            case .operation(let operation):
                taken += 1
                requests.append(operation.request)
                asking.append(Asking(.socket(operation.name), operation.request))
            case .read(let operation, let answer, let work):
                perform(registry?.answered(operation.name, answer) ?? [])
                meter.answered(operation.request.mark, work, status: answer.status)
            case .refused(let operation): refuse(operation)
            case .closed(let socket):
                sockets[socket.id] = nil
                forget(held.removeValue(forKey: socket.id) ?? [], of: socket)
                registry?.closed(socket.id)
            case .keepAlive: perform(registry?.keepAlive() ?? [])
            case .sweep: perform(registry?.sweep() ?? [])
            case .recheck: perform(registry?.refreshedRights() ?? [])
            case .prune: prunes = true
            case .checkpointed: endCheckpoint()
            case .answered(let id, let outcome): answered.append((id, outcome))
            case .schema(let swap):
                // What came before it is answered as the old schema has it.
                if !requests.isEmpty || !answered.isEmpty { execute(requests, asking, answered) }
                answered.removeAll()
                requests.removeAll(keepingCapacity: true)
                asking.removeAll(keepingCapacity: true)
                exchange(swap)
            case .tick:
                core?.tick()
                if core?.hasWork ?? false, requests.isEmpty, answered.isEmpty { execute([], [], []) }
            }
            if requests.count >= batchLimit {
                execute(requests, asking, answered)
                answered.removeAll()
                requests.removeAll(keepingCapacity: true)
                asking.removeAll(keepingCapacity: true)
            }
        }
        if !requests.isEmpty || !answered.isEmpty { execute(requests, asking, answered) }
        // Whoever asked has his answer first.
        if prunes { prune() }
        noteGauges()
    }

    private func execute(
        _ requests: [HubRequest], _ asking: [Asking], _ answered: [(id: FunctionCall.ID, outcome: FunctionOutcome)]
    ) {
        guard let core else { return }
        let began = ContinuousClock.now
        let outcome = core.perform(requests, answered: answered, leavesQueries: true)
        let isMeasured = core.statistics.commits != commitsSeen
        commitsSeen = core.statistics.commits
        let bytes = outcome.answers.reduce(0) { $0 + ($1?.body.count ?? 0) }
        meter.timings.withLock {
            if isMeasured { $0.commits.add(began.seconds) }
            $0.bytesOut += UInt64(bytes)
        }
        var answers = Answers()
        for (index, asking) in asking.enumerated() {
            if let answer = outcome.answers[index] {
                tell(asking, answer, outcome.works[index], &answers)
            } else if let ticket = outcome.tickets[index] {
                waiting[ticket] = asking
            }
        }
        for (ticket, answer) in outcome.finished {
            if let asking = waiting.removeValue(forKey: ticket) { tell(asking, answer, .mutation, &answers) }
        }
        for (index, caller) in outcome.queries { hand(requests[index], of: caller, asking[index]) }
        // Those who wait for an answer have it before the frames are made; the loop works meanwhile.
        deliver(answers)
        call(outcome.calls)
        publish(outcome.events)
        beginCheckpoint()
    }
}
