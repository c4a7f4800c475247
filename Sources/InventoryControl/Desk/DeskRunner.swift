import Basics
import Crypto
import DataStore
import Models
import System
import WarehouseModels

/// Runs the control desk on a store, beside whatever else uses it.
public actor DeskRunner {
    private let store: DataStore
    private let time: any TimeSource
    private let log: Log
    private let port: any ExportPort
    private let isFetched: @Sendable () -> Bool
    private var desk: Desk
    private var watchers: [Task<Void, Never>] = []
    private var work: Task<Void, Never>?
    private var alarm: Task<Void, Never>?
    private var jobs: [String: Task<Void, Never>] = [:]
    private var results: [ExportResult] = []
    private var isWanted = false
    private var isStopped = false
    private var reported: String?

    /// Prepares a desk; nothing runs before ``start()``.
    ///
    /// - Parameters:
    ///   - deviceCode: this desk's own code: it beats and leads under it.
    ///   - isAlone: whether the store has no server, and so no other desk.
    ///   - isFetched: whether all that the server has was fetched once; the desk does not work before.
    public init(
        store: DataStore, deviceCode: String, connectors: [ConnectorOptions], time: any TimeSource, log: Log = .none,
        port: any ExportPort = ConnectorPort(), isAlone: Bool = false,
        isFetched: @escaping @Sendable () -> Bool = { true }
    ) {
        self.store = store
        self.time = time
        self.log = log
        self.port = port
        self.isFetched = isFetched
        desk = Desk(code: deviceCode, connectors: connectors, sha256: { SHA256.hexDigest($0) }, isAlone: isAlone)
    }

    /// Begins to work. Any number of calls.
    public func start() async {
        guard watchers.isEmpty, !isStopped else { return }
        watch(CountPass.self)
        watch(CountEntry.self)
        watch(CodeMatch.self)
        watch(Decision.self)
        watch(StockMovement.self)
        watch(BookSnapshot.self)
        watch(BookLine.self)
        watch(Rule.self)
        watch(ExportDocument.self)
        watch(DeskLease.self)
        watch(Bin.self)
        wake()
    }

    /// Ends after the step that runs and gives the lead up; the store stays open. Any number of calls.
    public func stop() async {
        guard !isStopped else { return }
        isStopped = true
        for task in watchers { task.cancel() }
        alarm?.cancel()
        await work?.value
        for job in jobs.values { job.cancel() }
        for job in jobs.values { await job.value }
        let (desk, now, results) = (desk, time.now(), results)
        do {
            try await store.transaction { tx in
                var last = desk
                for result in results { try last.take(result, in: tx, now: now) }
                try last.leave(in: tx, now: now)
            }
        } catch {
            log(.error, "the desk could not check out: \(error)")
        }
    }

    private func watch<M: Model>(_ type: M.Type) {
        let changes = store.observe(type)
        watchers.append(
            Task { [weak self] in
                for await change in changes { await self?.heard(change) }
            })
    }

    private func heard<M: Model>(_ change: ModelChange<M>) {
        switch change {
        case .created(let item, let isLocal), .updated(let item, let isLocal):
            desk.note(
                Change(model: M.schema.name, id: item.id, kind: .updated, isLocal: isLocal, record: item.record))
        // Nothing of this is deleted in the course of a count; what a deletion leaves is found by looking at everything.
        case .deleted, .reset: desk.forget()
        }
        wake()
    }

    private func wake() {
        isWanted = true
        guard work == nil, !isStopped else { return }
        work = Task { await self.run() }
    }

    /// Steps until there is nothing to do. What is heard while a step runs is noted on the desk it gives back.
    private func run() async {
        defer { work = nil }
        var failures: Int64 = 0
        while isWanted, !isStopped {
            isWanted = false
            let (before, given, now, isFetched) = (desk, results, time.now(), isFetched())
            desk.beginStep()
            results = []
            do {
                let (after, outcome) = try await store.transaction { tx in
                    var stepped = before
                    let outcome = try stepped.step(in: tx, now: now, results: given, isFetched: isFetched)
                    return (stepped, outcome)
                }
                failures = 0
                desk.endStep(after)
                report(outcome)
                for job in outcome.jobs { send(job) }
                if outcome.hasMore { isWanted = true }
                setAlarm(outcome.wakeAt)
            } catch {
                desk.failStep(before)
                results = given + results
                log(.error, "a step of the desk failed and will be tried again: \(error)")
                failures = min(failures + 1, 6)
                setAlarm(time.now().advanced(by: 250 << failures))
                return
            }
        }
    }

    private func report(_ outcome: DeskOutcome) {
        let text =
            switch outcome.leader {
            case _ where outcome.waitsForFetch: "this desk waits until it has all that the server has"
            case nil: "this desk is at work"
            case desk.code?: "this desk waits for the lease"
            case let other?: "desk \(other) is at work; this one stands by"
            }
        guard text != reported else { return }
        reported = text
        log(.info, text)
    }

    private func send(_ job: ExportJob) {
        let port = port
        jobs[job.payload.id] = Task {
            let result = await port.perform(job)
            self.finished(result)
        }
    }

    private func finished(_ result: ExportResult) {
        jobs[result.document] = nil
        results.append(result)
        wake()
    }

    private func setAlarm(_ moment: DateTime?) {
        alarm?.cancel()
        guard let moment, !isStopped else { return }
        let delay = min(max(moment.milliseconds - time.now().milliseconds, 1), 3_600_000)
        alarm = Task {
            do { try await Task.sleep(for: .milliseconds(delay)) } catch { return }
            self.wake()
        }
    }
}
