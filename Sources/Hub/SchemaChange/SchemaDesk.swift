import Basics
import GraphQL
import Models
import SQLite
import System
import Transport

/// Answers `GET /schema` and `POST /schema`: shows the schema that is served, and puts another in its place.
///
/// Everything slow happens on a thread of its own, one request after the other: reading the schema, working out its API,
/// and the backup. The thread that commits only migrates and swaps.
final class SchemaDesk: Sendable {
    /// How often a backup is taken again because what it is to save has changed meanwhile.
    private static let backups = 3

    private let worker: HubWorker
    private let gate: AdminGate
    private let resident: SchemaResident?
    private let directory: String
    private let time: any TimeSource
    private let log: Log
    private let queue = AdminQueue(name: "hub-schema")

    init(_ worker: HubWorker, _ authenticator: Authenticator, _ options: HubOptions) {
        self.worker = worker
        gate = AdminGate(authenticator, options.time, worker.accessLog)
        resident = options.resident
        directory = options.dataDirectory
        time = options.time
        log = options.log
    }

    func stop() { queue.stop() }

    /// Answers one request; the credentials can be judged by now.
    func answer(_ request: HTTPRequest, _ responder: HTTPResponder) {
        guard let caller = gate.admit(request, responder, to: "see or change the hub's schema") else { return }
        guard request.method != "GET" else {
            guard let text = worker.served.current.text else {
                return responder.respond(Self.refusal(404, "the hub was started without its schema's text"))
            }
            return responder.respond(.text(200, text))
        }
        queue.take(responder) { [self] answer in push(request.body, caller, request.id, answer) }
    }

    private func push(
        _ body: [UInt8], _ caller: Caller, _ id: String, _ respond: @escaping @Sendable (HTTPResponse) -> Void
    ) {
        guard let push = SchemaPush(body) else {
            return respond(Self.refusal(400, "this is no schema to push; use `bincount schema push`"))
        }
        do {
            let schema = try Schema(sdl: push.text)
            let served = worker.served.current
            var difference = SchemaDifference(from: served.schema, to: schema)
            guard served.schema != schema || served.text != push.text else {
                return respond(Self.done(difference, isApplied: false))
            }
            let engine = try worker.engine(for: schema)
            let lost = resident?.losses(under: schema) ?? []
            if let resident {
                difference.add(
                    lostRights: try resident.lostRights(from: try HubSchema(served.schema), to: engine.schema))
            }
            if let resident, !lost.isEmpty, !push.isTrial { return respond(Self.refused(resident, lost)) }
            if !push.allowsDestructive, !difference.destructive.isEmpty {
                return respond(Self.refused(difference))
            }
            guard !push.isTrial else {
                let refusal = lost.isEmpty ? nil : resident?.refusal(lost)
                return respond(Self.done(difference, isApplied: false, refusal: refusal))
            }
            let pushed = PushedSchema(
                text: push.text, over: worker.startText ?? "", pushed: time.now(), author: caller.author)
            swap(engine, served.schema, pushed, difference, id, tries: Self.backups, respond) { [self] in
                self.push(body, caller, id, respond)
            }
        } catch {
            respond(Self.answer(to: error))
        }
    }

    /// Backs up what goes, where something does, and hands the schema to the thread that commits.
    ///
    /// - Parameter compareAnew: called on the queue's thread where another push was done since the comparison
    private func swap(
        _ engine: HubEngine, _ served: Schema, _ pushed: PushedSchema, _ difference: SchemaDifference, _ id: String,
        tries: Int, _ respond: @escaping @Sendable (HTTPResponse) -> Void,
        compareAnew: @escaping @Sendable () -> Void
    ) {
        var backup: String?
        var through: Int64?
        if difference.needsBackup {
            do {
                let target = freeName()
                through = try HubBackup.take(of: directory, to: target, time: time).stamp
                backup = target
            } catch let busy as HubBackup.UnderWay {
                return respond(Self.refusal(503, "nothing was changed: \(busy)"))
            } catch {
                return respond(Self.refusal(500, "nothing was changed, because no backup could be made: \(error)"))
            }
        }
        let swap = SchemaSwap(
            engine: engine, served: served, pushed: pushed, difference: difference, backedUpThrough: through
        ) { [self, backup] result in
            switch result {
            case .success:
                log(
                    .notice, "the schema was changed by \(pushed.author): \(difference.changes.count) changes",
                    request: id)
                for remark in Schema.remarks(sdl: pushed.text) {
                    log(.warning, "the schema's line \(remark.line): \(printable(remark.message))", request: id)
                }
                respond(Self.done(difference, isApplied: true, backup: backup))
            case .failure(is SchemaSwap.BackupIsOld) where tries > 1:
                if let backup { Self.remove(backup) }
                queue.executor.async { [self] in
                    self.swap(
                        engine, served, pushed, difference, id, tries: tries - 1, respond, compareAnew: compareAnew)
                }
            case .failure(is SchemaSwap.ServedIsAnother):
                if let backup { Self.remove(backup) }
                queue.executor.async(compareAnew)
            case .failure(let error): respond(Self.answer(to: error))
            }
        }
        if !worker.add(.schema(swap)) { respond(Self.refusal(503, "the hub is stopping; nothing was changed")) }
    }

    private func freeName() -> String {
        let name = HubBackup.name(at: time.now()).dropFirst(4).dropLast(7)
        var target = directory + "/before-schema-\(name).sqlite"
        var number = 1
        while Files.exists(target) {
            number += 1
            target = directory + "/before-schema-\(name)-\(number).sqlite"
        }
        return target
    }

    private static func remove(_ backup: String) {
        try? Files.remove(backup)
        try? Files.remove(BackupManifest.path(of: backup))
    }
}
