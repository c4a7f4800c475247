import AppSync
import Basics
import Crypto
import DataStore
import Models

/// Synchronises one store with one backend: the machines, the wire and the store's transactions, without a thread, a
/// socket or a clock of its own.
///
/// Not Sendable: it lives where its ``StoreCore`` lives. It is told what happens by ``handle(_:)`` and answers with
/// actions through the closure given at the start; that closure must not call back into the session.
public final class SyncSession {
    enum Pending {
        case push(entries: [OutboxEntry], mutations: [OutgoingMutation])
        case verify(OutboxEntry)
        case pull(model: ModelSchema, mark: SyncMark)
        case readable(ForeignRow)
        /// Asks for nothing but what the backend can do.
        case probe
    }

    let core: StoreCore
    let perform: (SyncAction) -> Void
    var options: SyncOptions
    var profile: RemoteProfile
    var requests: RequestWriter
    let answers: AnswerReader
    var connection: ConnectionMachine
    var outbox: OutboxMachine
    var pull: PullMachine
    var deadlines = Deadlines()
    var clock = ClockOffset()

    /// Requests under way, with the uptime at which they were sent.
    var pending: [Int: (what: Pending, sentAt: Int64)] = [:]
    private(set) var lastRequest = 0
    /// What was asked for before the credentials were replaced.
    var outdated = OutdatedCredentials()
    /// Answers that the store could not take (a full disk): it is asked again.
    var unsettled: [(results: [MutationResult], entries: [OutboxEntry])] = []

    /// What the backend repeats of what was sent here.
    var echoes = OwnEchoes()

    /// For whom the rows are here that depend on who reads them: who is signed in or, while nobody is, who was last.
    var reader: String?
    /// Sent rows of another than the reader, until it is known whether they may stay.
    var foreign: Set<ForeignRow> = []
    /// Those that are being asked for, with the request. An answer to an earlier one says nothing: it was asked before a
    /// change of the row was answered, which may have made it.
    var askedForeign: [ForeignRow: Int] = [:]
    /// Those that the store could not keep yet.
    var unkeptForeign: Set<ForeignRow> = []
    /// Those that have their turn after the ones that are asked for.
    var foreignQueue: ArraySlice<ForeignRow> = []

    /// The models that come from the backend, parents first.
    var receivedModels: [ModelSchema]
    let orderedModels: [ModelSchema]
    /// Models of which no document can ask for all, and the embedded type that contains itself.
    let endless: [String: String]
    /// Where each model stands in dependency order.
    let modelOrder: [String: Int]
    var subscriptions: [String: Subscription]
    /// Changes that came while their model was being fetched.
    var buffers: [String: EventBuffer] = [:]
    /// The frames that start subscriptions, the same at every connection of one person and scope.
    var startFrames: [String: [UInt8]] = [:]
    /// How many providers were refused for the connection itself.
    var refusedConnections = 0
    /// How many providers were refused for a model's subscription already, with several to try.
    var subscriptionModes: [String: Int] = [:]
    /// Ids of subscriptions that run without their filter, which the backend refused.
    var unfiltered: Set<String> = []
    /// Models whose subscription the backend refused: they are fetched more often.
    var polled: Set<String> = []
    var lastRoundAt: Int64?
    /// Counts the rounds of fetching; the round in which a model's run of pages began.
    var round = 0
    var runs: [String: Int] = [:]
    /// Models whose pages after the first cannot be had.
    var troubles: [String: PageTrouble] = [:]
    /// Models whose requests are not answered, or with nothing that can be read.
    var silences: [String: PageSilence] = [:]
    /// Rows of a page, of models whose pages took too long.
    var pageSizes: [String: Int] = [:]
    /// When the backend was last heard of in its own words; a gateway before it may go on answering without it.
    var lastWord: Int64?
    var epoch: String?
    /// How often the store had been cleared when what is under way was asked for.
    var clearings: Int64 = 0
    /// Whether it is to be looked whether the backend lacks what it confirmed here.
    var isRecoveryDue = false
    /// Manual syncs under way.
    var manualSyncs: [ManualSync] = []
    /// Models that are compared with the backend instead of fetched anew.
    var reconciliations: [String: Reconciliation] = [:]

    /// How many records the fetches from the beginning under way took of models that have a limit.
    var taken: [String: Int] = [:]
    /// What the runs of pages under way changed here, by model.
    var modelCounts: [String: ModelCounts] = [:]
    /// Whether `ready` was told since the link came up.
    var isReadyTold = false

    var status = SyncStatus()
    var reportedStatus: SyncStatus?
    var isRunning = false

    /// Prepares a session; nothing happens before ``SyncEvent/start``.
    public init(core: StoreCore, options: SyncOptions, perform: @escaping (SyncAction) -> Void) {
        self.core = core
        self.options = options
        self.perform = perform
        profile = options.profile
        requests = RequestWriter(schema: core.schema, md5: MD5.hexDigest)
        answers = AnswerReader(schema: core.schema)
        let random = core.options.random
        connection = ConnectionMachine(random: random)
        outbox = OutboxMachine(
            batchSize: options.batchSize(at: profile), maxInFlight: options.maxInFlight, random: random)
        pull = PullMachine(window: options.pullWindow, interval: options.resyncInterval, random: random)
        let ordered = core.schema.modelsInDependencyOrder
        orderedModels = ordered
        modelOrder = Dictionary(ordered.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        let endless = Dictionary(
            ordered.compactMap { model in core.schema.endlessType(in: model).map { (model.name, $0) } },
            uniquingKeysWith: { first, _ in first })
        self.endless = endless
        receivedModels = ordered.filter { core.options.policy(of: $0).receives && endless[$0.name] == nil }
        subscriptions = Subscription.all(of: receivedModels)
    }

    var uptime: Int64 { core.options.time.uptime() }

    /// Takes one event; all actions have been performed when it returns.
    public func handle(_ event: SyncEvent) {
        switch event {
        case .start: start()
        case .stop: stop()
        case .localCommit:
            followClearing()
            refreshCounts()
            run(outbox.handle(.wake))
        case .httpAnswer(let id, let answer): answered(id, answer)
        case .httpFailed(let id, let reason, let mayHaveArrived): failed(id, reason, mayHaveArrived: mayHaveArrived)
        case .socketOpened(let socket): run(connection.handle(.opened(socket: socket)))
        case .socketText(let socket, let frames): received(frames, on: socket)
        case .socketClosed(let socket, let reason): run(connection.handle(.closed(socket: socket, reason: reason)))
        case .socketRefused(let socket, let reason):
            run(connection.handle(.untrusted(socket: socket, reason: reason)))
        case .wake: wake()
        case .personChanged(let person):
            guard person != options.person else { break }
            options.person = person
            rescope()
        case .scopeChanged(let scope):
            guard scope != options.scope else { break }
            if let problem = scope.problem(in: core.schema) {
                tell(of: .scope(problem.model, problem.error))
                break
            }
            options.scope = scope
            rescope()
        case .tryAgain: tryAgain()
        case .credentialsRenewed: credentialsRenewed()
        case .credentialsChanged: credentialsChanged()
        case .policiesChanged: policiesChanged()
        case .syncNow(let id, let models): syncNow(id, models)
        }
        recoverIfDue()
        concludeManualSyncs()
        reportStatus()
        if isRunning, let wait = deadlines.timer(now: uptime) { perform(.wake(afterMilliseconds: wait)) }
    }

    private func start() {
        guard !isRunning else { return }
        isRunning = true
        status = SyncStatus()
        attempt {
            clearings = try core.clearings()
            epoch = try core.driverState(Self.epochKey)
            reader = try core.driverState(Self.readerKey)
            core.setLife(epoch: epoch, began: try core.driverState(Self.beganKey).flatMap { Int64($0) })
            try core.resetSending()
            try loadForeign()
            try loadClock()
            try loadTruncated()
        }
        checkScopes()
        tellOfEndlessModels()
        refreshCounts()
        perform(.event(.outboxStatus(core.outboxStatus)))
        run(connection.handle(.start))
        run(pull.handle(.start))
        run(outbox.handle(.start))
    }

    private func stop() {
        guard isRunning else { return }
        for id in pending.keys.sorted() { perform(.cancelHTTP(id: id)) }
        pending.removeAll()
        run(connection.handle(.stop))
        run(outbox.handle(.stop))
        run(pull.handle(.stop))
        deadlines.removeAll()
        endManualSyncs("synchronising stopped")
        buffers.removeAll()
        reconciliations.removeAll()
        modelCounts.removeAll()
        taken.removeAll()
        runs.removeAll()
        troubles.removeAll()
        silences.removeAll()
        askedForeign.removeAll()
        foreignQueue.removeAll()
        echoes.reset()
        // What was being sent may have arrived; it is sent again under the same ids.
        attempt { try core.resetSending() }
        unsettled.removeAll()
        refreshCounts()
        isRunning = false
        status.progress = nil
    }

    private func wake() {
        for key in deadlines.takeDue(now: uptime) {
            switch key {
            case .connection: run(connection.handle(.deadline))
            case .steadiness: run(connection.handle(.steady))
            case .outbox: run(outbox.handle(.deadline))
            case .pull: run(pull.handle(.deadline))
            case .request(let id):
                perform(.cancelHTTP(id: id))
                failed(id, "no answer in time")
            }
        }
    }

    private func tryAgain() {
        goOn()
        // What could not be subscribed to is asked for anew with the connection.
        if !connection.isLive || !polled.isEmpty { run(connection.handle(.reconnect)) }
    }

    // MARK: Requests

    func newRequest(_ what: Pending) -> Int {
        lastRequest += 1
        pending[lastRequest] = (what, uptime)
        deadlines.set(.request(lastRequest), at: uptime + options.requestLimit)
        return lastRequest
    }

    /// Forgets a request; nil where it is not (or no longer) under way, so that a late or doubled answer is nothing.
    func takeRequest(_ id: Int) -> (what: Pending, sentAt: Int64)? {
        guard let request = pending.removeValue(forKey: id) else { return nil }
        deadlines.set(.request(id), at: nil)
        return request
    }

    private func answered(_ id: Int, _ answer: HTTPAnswer) {
        if let reason = outdatedRefusal(id, answer) { return failed(id, reason, mayHaveArrived: false) }
        guard let (what, sentAt) = takeRequest(id) else { return }
        status.lastContact = uptime
        if let time = answer.serverTime {
            let wall = core.options.time.now().milliseconds
            if clock.measure(server: time, sentAt: sentAt, uptime: uptime, wall: wall) { keepClock() }
        }
        switch what {
        case .push(let entries, let mutations): pushAnswered(id, entries, mutations, answer)
        case .verify(let entry): verifyAnswered(id, entry, answer)
        case .pull(let model, let mark): pullAnswered(id, model, mark, answer, sentAt: sentAt)
        case .readable(let row): foreignAnswered(id, row, answer)
        case .probe: probeAnswered(id, answer)
        }
    }

    private func failed(_ id: Int, _ reason: String, mayHaveArrived: Bool = true) {
        guard let (what, sentAt) = takeRequest(id) else { return }
        switch what {
        case .push(let entries, _): requeue(id, entries, reason, retryAfter: nil, mayHaveArrived: mayHaveArrived)
        case .verify(let entry): requeue(id, [entry], reason, retryAfter: nil, mayHaveArrived: entry.kind == .create)
        case .pull(let model, _):
            // A connection that is cut says nothing of the model, unless its page was waited for.
            guard mayHaveArrived, uptime - sentAt >= options.requestLimit / 2 else {
                return run(pull.handle(.failed(request: id, retryAfter: nil)))
            }
            pullFailed(id, model, reason, retryAfter: nil, sentAt: sentAt, isTooMuch: true)
        case .readable(let row): foreignFailed(id, row)
        case .probe: requeue(id, [], reason, retryAfter: nil)
        }
    }

    /// Runs what the store may refuse (a full disk, a damaged file) and tells a person.
    @discardableResult
    func attempt(_ body: () throws -> Void) -> Bool {
        do {
            try body()
            return true
        } catch {
            tell(
                of: StoreProblem(
                    .store, .transient, message: "\(error)",
                    recovery: "nothing is lost; it is tried again, so make room if it is full"))
            return false
        }
    }

    static let epochKey = "epoch"
}
