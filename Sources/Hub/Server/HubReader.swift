import Basics
import ModelTables
import Models
import SQLite
import System

/// Answers queries on a thread and a connection of their own, so that a terminal's first sync holds up no commit.
///
/// A query sees every commit that was answered before it came, since SQLite's snapshot begins when it runs. Callers are
/// served in turn, and each has so many places to wait in (``ReadQueue``).
// Guard of @unchecked Sendable: `engine`, `runner`, `rights` and `connection` are touched only on `executor`'s thread.
final class HubReader: @unchecked Sendable {
    let executor = ThreadExecutor(name: "hub-read")
    private var engine: HubEngine
    private let time: any TimeSource
    private var runner: QueryRunner?
    private var connection: Connection?
    private let life: Life
    /// While the tables change, queries are the writer's to answer.
    private let isPaused = Locked(false)
    private var rights: [Caller: CallerRights] = [:]
    private let queue: Locked<ReadQueue<Job>>
    private let authenticator: Authenticator

    /// What became of a request.
    enum Reading: Sendable {
        case answered(HubAnswer, WorkKind)
        /// It is no query of a known caller, or tables change: the writer's to answer.
        case left
        /// As many of this caller wait as may.
        case overloaded
    }

    private struct Job: Sendable {
        let request: HubRequest
        /// Who sends it, where that was judged already.
        let caller: Caller?
        let completion: @Sendable (Reading) -> Void
    }

    /// Opens the database for reading, beside the hub that made it.
    init(
        path: String, engine: HubEngine, tokenKey: [UInt8], epoch: String, lives: HubLives, time: any TimeSource
    ) throws {
        self.engine = engine
        self.time = time
        authenticator = engine.authenticator
        queue = Locked(ReadQueue(share: engine.limits.waitingReadsPerCaller))
        life = Life(tokenKey: tokenKey, epoch: epoch, lives: lives)
        do {
            try executor.runBlocking { [self] in
                connection = try Connection.open(path: path, options: .readOnly)
                serve(engine)
            }
        } catch {
            executor.stop()
            throw error
        }
    }

    /// What every life of a runner has in common.
    private struct Life {
        let tokenKey: [UInt8]
        let epoch: String
        let lives: HubLives
    }

    private func serve(_ engine: HubEngine) {
        self.engine = engine
        rights.removeAll()
        runner = connection.map { connection in
            connection.clearStatementCache()
            return QueryRunner(
                engine, connection, engine.schema.models.map { BaseTable($0) }, tokenKey: life.tokenKey,
                epoch: life.epoch, lives: life.lives, time: time)
        }
    }

    /// Ends the query that runs and leaves all others to the writer, until ``resume(_:)``.
    func pause() {
        isPaused.withLock { $0 = true }
        try? executor.runBlocking {}
    }

    /// Answers again, under a schema that may be another.
    func resume(_ engine: HubEngine) {
        try? executor.runBlocking { [self] in serve(engine) }
        isPaused.withLock { $0 = false }
    }

    /// Answers a request on the reader's thread in its caller's turn.
    ///
    /// - Parameter caller: who sends it, where that was judged already.
    /// - Returns: false where as many of this caller wait as may; `completion` is not called then, else once.
    func answer(
        _ request: HubRequest, of caller: Caller? = nil, _ completion: @escaping @Sendable (Reading) -> Void
    ) -> Bool {
        let payer = caller?.payer ?? authenticator.payer(request.credentials, now: time.now().milliseconds)
        let job = Job(request: request, caller: caller, completion: completion)
        guard queue.withLock({ $0.add(job, of: payer) }) else { return false }
        executor.async { [self] in serve() }
        return true
    }

    /// Answers one query. Signatures are checked here, where that holds up no socket, of all that came meanwhile: whoever
    /// is not known yet waits for his turn like the others, and not behind every stranger.
    private func serve() {
        for job in queue.withLock({ $0.takeUnknown() }) {
            guard let caller = caller(of: job) else {
                job.completion(.left)
                continue
            }
            if !queue.withLock({ $0.add(job, of: caller.payer) }) { job.completion(.overloaded) }
        }
        guard let job = queue.withLock({ $0.next() }) else { return }
        job.completion(answer(job))
    }

    /// Who sends a request, by what his credentials are worth now; nil where nobody known does.
    private func caller(of job: Job) -> Caller? {
        guard !isPaused.current else { return nil }
        return job.caller ?? (try? authenticator.caller(job.request.credentials, now: time.now().milliseconds).get())
    }

    private func answer(_ job: Job) -> Reading {
        guard let caller = caller(of: job), let runner,
            case .success(let runnable) = engine.runnable(
                job.request.body, rights(of: caller), id: job.request.mark?.id),
            runnable.operation.kind == .query, let work = runnable.work
        else { return .left }
        return .answered(runner.answer(runnable), work)
    }

    private func rights(of caller: Caller) -> CallerRights {
        if let known = rights[caller] { return known }
        if rights.count > 4096 { rights.removeAll() }
        let made = CallerRights(caller, engine.schema.models)
        rights[caller] = made
        return made
    }

    /// Answers what was taken and closes the connection.
    func stop() {
        try? executor.runBlocking { [self] in (runner, connection) = (nil, nil) }
        executor.stop()
    }

    /// Whether a body looks like a query: a guess that saves the thread that commits the parsing. What is guessed wrongly
    /// comes back from the one thread or the other once it is parsed.
    static func looksLikeQuery(_ body: [UInt8]) -> Bool {
        let key = Array("\"query\"".utf8)
        guard body.count > key.count else { return false }
        for start in 0...(min(body.count, 256) - key.count) where body[start] == key[0] {
            guard body[start..<start + key.count].elementsEqual(key) else { continue }
            // After the colon: the quote, then blanks and line ends as the client wrote them.
            let rest = body[(start + key.count)...].prefix(200)
            let text = String(decoding: rest, as: UTF8.self)
            let trimmed = text.drop { $0 == ":" || $0 == " " || $0 == "\"" || $0 == "\\" || $0 == "n" || $0 == "t" }
            return trimmed.hasPrefix("query") || trimmed.hasPrefix("{")
        }
        return false
    }
}
