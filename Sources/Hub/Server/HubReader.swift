import Basics
import ModelTables
import Models
import SQLite
import System

/// Answers queries on a thread and a connection of their own, so that a terminal's first sync holds up no commit.
///
/// A query sees every commit that was answered before it came, since SQLite's snapshot begins when it runs.
// Guard of @unchecked Sendable: `runner` and `rights` are touched only on `executor`'s thread.
final class HubReader: @unchecked Sendable {
    private let executor = ThreadExecutor(name: "hub-read")
    private let engine: HubEngine
    private let time: any TimeSource
    private var runner: QueryRunner?
    private var rights: [Caller: CallerRights] = [:]

    /// Opens the database for reading, beside the hub that made it.
    init(
        path: String, engine: HubEngine, tokenKey: [UInt8], epoch: String, lives: HubLives, time: any TimeSource
    ) throws {
        self.engine = engine
        self.time = time
        do {
            try executor.runBlocking { [self] in
                let connection = try Connection.open(path: path, options: .readOnly)
                let tables = engine.schema.models.map { BaseTable($0) }
                runner = QueryRunner(
                    engine, connection, tables, tokenKey: tokenKey, epoch: epoch, lives: lives, time: time)
            }
        } catch {
            executor.stop()
            throw error
        }
    }

    /// Answers a request on the reader's thread; nil where it turns out to be no query of a known caller, which is the
    /// writer's to answer.
    func answer(_ request: HubRequest, _ completion: @escaping @Sendable (HubAnswer?) -> Void) {
        executor.async { [self] in completion(answer(request)) }
    }

    private func answer(_ request: HubRequest) -> HubAnswer? {
        guard let runner,
            case .success(let caller) = engine.authenticator.caller(
                request.credentials, now: time.now().milliseconds),
            case .success(let runnable) = engine.runnable(request.body, rights(of: caller)),
            runnable.operation.kind == .query
        else { return nil }
        return runner.answer(runnable)
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
        try? executor.runBlocking { [self] in runner = nil }
        executor.stop()
    }

    /// Whether a body looks like a query: a guess that saves parsing it twice; a wrong one costs only time.
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
