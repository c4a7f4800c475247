import Basics
import System
import Transport

/// Answers `GET /deliveries` and `POST /deliveries`: shows what functions have not taken, lets it be tried again, or drops
/// it; for admins.
///
/// It works on a thread and a connection of its own, as a command on the hub's directory would, and tells the thread that
/// commits to look.
// Guard of @unchecked Sendable: `store` is touched only on `queue`'s thread.
final class DeliveryDesk: @unchecked Sendable {
    private let worker: HubWorker
    private let gate: AdminGate
    private let directory: String
    private let log: Log
    private let queue = AdminQueue(name: "hub-deliveries")
    private var store: DeliveryStore?

    init(_ worker: HubWorker, _ authenticator: Authenticator, _ options: HubOptions) {
        self.worker = worker
        gate = AdminGate(authenticator, options.time, worker.accessLog)
        directory = options.dataDirectory
        log = options.log
    }

    func stop() {
        try? queue.executor.runBlocking { [self] in store = nil }
        queue.stop()
    }

    /// Answers one request; the credentials can be judged by now.
    func answer(_ request: HTTPRequest, _ responder: HTTPResponder) {
        guard let caller = gate.admit(request, responder, to: "see or decide on deliveries") else { return }
        queue.take(responder) { [self] answer in
            do {
                let store = try store ?? DeliveryStore.open(dataDirectory: directory)
                self.store = store
                answer(request.method == "GET" ? try show(request, store) : try act(request, store, caller.author))
            } catch {
                log(.error, "deliveries cannot be looked at: \(error)", request: request.id)
                answer(AdminGate.refusal(500, "the deliveries cannot be looked at: \(error)"))
            }
        }
    }

    private func show(_ request: HTTPRequest, _ store: DeliveryStore) throws -> HTTPResponse {
        func number(_ name: String) -> Int64? { request.queryValue(name).flatMap { Int64($0) } }
        if request.queryValue("number") != nil {
            guard let number = number("number"), let (entry, payload) = try store.show(number) else {
                return AdminGate.refusal(404, "there is no such delivery")
            }
            var json = entry.json
            json["payload"] = payload
            return Self.answer(json)
        }
        let entries = try store.list(after: number("after") ?? 0, parkedOnly: request.queryValue("parked") == "yes")
        return Self.answer(["deliveries": .array(entries.map { .object($0.json) })])
    }

    /// `{"act": "retry", "numbers": […]}`, `{"act": "retry", "all": true}` or `{"act": "drop", "numbers": […]}`.
    private func act(_ request: HTTPRequest, _ store: DeliveryStore, _ author: String) throws -> HTTPResponse {
        let json = try? JSONValue(parsing: request.body)
        let numbers = json?["numbers"]?.array?.compactMap(\.integer)
        let outcome: DeliveryStore.Outcome
        let what: String
        switch (json?["act"]?.string, numbers) {
        case ("retry", let numbers?): (what, outcome) = ("let be tried again", try store.retry(numbers))
        case ("retry", nil) where json?["all"]?.bool == true:
            (what, outcome) = ("let be tried again", try store.retry(nil))
        case ("drop", let numbers?): (what, outcome) = ("dropped", try store.drop(numbers))
        default:
            return AdminGate.refusal(400, "this is nothing to do with deliveries; use `bincount hub deliveries`")
        }
        if !outcome.done.isEmpty {
            let list = outcome.done.prefix(20).map(String.init).joined(separator: ",")
            let more = outcome.done.count > 20 ? " and \(outcome.done.count - 20) more" : ""
            log(.notice, "deliveries \(what) by \(author): \(list)\(more)", request: request.id)
            worker.add(.tick)
        }
        return Self.answer([
            "done": .array(outcome.done.map { .integer($0) }), "missing": .array(outcome.missing.map { .integer($0) }),
        ])
    }

    private static func answer(_ json: JSONObject) -> HTTPResponse {
        HTTPResponse(
            status: 200, headers: ["content-type": "application/json"], body: JSONValue.object(json).bytes)
    }
}
