import Basics
import ModelTables
import Models
import SQLite
import System

/// Answers queries on a thread and a connection of their own, so that a terminal's first sync holds up no commit.
///
/// A query sees every commit that was answered before it came, since SQLite's snapshot begins when it runs.
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

    /// Opens the database for reading, beside the hub that made it.
    init(
        path: String, engine: HubEngine, tokenKey: [UInt8], epoch: String, lives: HubLives, time: any TimeSource
    ) throws {
        self.engine = engine
        self.time = time
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

    /// Answers a request on the reader's thread; nil where it turns out to be no query of a known caller, which is the
    /// writer's to answer.
    func answer(
        _ request: HubRequest, _ completion: @escaping @Sendable ((answer: HubAnswer, work: WorkKind)?) -> Void
    ) {
        executor.async { [self] in completion(answer(request)) }
    }

    /// Answers a query of a caller who was judged already; nil where tables change or the request is none any more.
    func answer(
        _ request: HubRequest, of caller: Caller,
        _ completion: @escaping @Sendable ((answer: HubAnswer, work: WorkKind)?) -> Void
    ) {
        executor.async { [self] in completion(answer(request, caller)) }
    }

    private func answer(_ request: HubRequest) -> (answer: HubAnswer, work: WorkKind)? {
        guard !isPaused.current,
            case .success(let caller) = engine.authenticator.caller(
                request.credentials, now: time.now().milliseconds)
        else { return nil }
        return answer(request, caller)
    }

    private func answer(_ request: HubRequest, _ caller: Caller) -> (answer: HubAnswer, work: WorkKind)? {
        guard !isPaused.current, let runner,
            case .success(let runnable) = engine.runnable(
                request.body, rights(of: caller), id: request.mark?.id),
            runnable.operation.kind == .query, let work = runnable.work
        else { return nil }
        return (runner.answer(runnable), work)
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
