import Basics
import GraphQL
import ModelTables
import Models
import SQLite
import System
import Transport

/// Answers `GET /schema` and `POST /schema`: shows the schema that is served, and puts another in its place.
///
/// Everything slow happens on a thread of its own, one request after the other: reading the schema, working out its API,
/// trying it, and the backup. The thread that commits only migrates and swaps. What comes while it does waits, so that
/// each schema is compared with what the one before it has made.
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
    /// Pushes that wait for the end of the one that is carried out; nil where none is.
    private let held = Locked<[@Sendable () -> Void]?>(nil)

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
        queue.take(responder) { [self] answer in
            begin { [self] in push(request.body, caller, request.id, answer) }
        }
    }

    /// Carries a push out, or holds it until the one is at its end that is carried out. Called on the queue's thread.
    private func begin(_ work: @escaping @Sendable () -> Void) {
        let waits = held.withLock { held in
            held?.append(work)
            return held != nil
        }
        if !waits { work() }
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
            guard !push.isTrial else {
                let refusal = lost.isEmpty ? try foretold(engine, difference) : resident?.refusal(lost)
                return respond(Self.done(difference, isApplied: false, refusal: refusal))
            }
            if let resident, !lost.isEmpty { return respond(Self.refused(resident, lost)) }
            if !push.allowsDestructive, !difference.destructive.isEmpty {
                return respond(Self.refused(difference))
            }
            try tryOut(engine, difference)
            let pushed = PushedSchema(
                text: push.text, over: worker.startText ?? "", pushed: time.now(), author: caller.author)
            held.withLock { $0 = [] }
            swap(engine, pushed, difference, id, tries: Self.backups) { [self] response in
                respond(response)
                let next = held.withLock { held in
                    defer { held = nil }
                    return held ?? []
                }
                // The first of them that has something to carry out holds the rest again.
                for work in next { begin(work) }
            }
        } catch {
            respond(Self.answer(to: error))
        }
    }

    // MARK: Trying

    /// Refuses what could not be carried out, before anything is copied and beside those who commit: functions that the
    /// schema does not fit, and records that do not fit the schema. Records may change until they are looked at again.
    private func tryOut(_ engine: HubEngine, _ difference: SchemaDifference) throws {
        do throws(HubError) {
            _ = try Resolvers(worker.resolverOptions, engine.schema)
        } catch {
            throw FunctionsDoNotFit(reason: error.message)
        }
        let migrator = HubCore.migrator(
            engine.schema.source, engine.schema.models.map { BaseTable($0) }, once: difference.steps)
        _ = try migrator.plan(try Connection.open(path: HubBackup.database(in: directory), options: .readOnly))
    }

    /// Why a push would be refused whatever it allows; nil where it would not.
    private func foretold(_ engine: HubEngine, _ difference: SchemaDifference) throws -> String? {
        do {
            try tryOut(engine, difference)
            return nil
        } catch let error where error is FunctionsDoNotFit || error is MigrationError {
            return Self.reason(error).line
        }
    }

    // MARK: Carrying out

    /// Backs up what goes, where something does, and hands the schema to the thread that commits.
    ///
    /// - Parameter end: called once, on the queue's thread
    private func swap(
        _ engine: HubEngine, _ pushed: PushedSchema, _ difference: SchemaDifference, _ id: String, tries: Int,
        _ end: @escaping @Sendable (HTTPResponse) -> Void
    ) {
        var backup: String?
        var through: Int64?
        if difference.needsBackup {
            do {
                let target = freeName()
                through = try HubBackup.take(of: directory, to: target, time: time, isNoted: false).stamp
                backup = target
            } catch let busy as HubBackup.UnderWay {
                return end(Self.refusal(503, "nothing was changed: \(busy)"))
            } catch {
                return end(Self.refusal(500, "nothing was changed, because no backup could be made: \(error)"))
            }
        }
        let swap = SchemaSwap(
            engine: engine, pushed: pushed, difference: difference, backedUpThrough: through
        ) { [self, backup] result in
            queue.executor.async { [self] in
                guard case .failure(let error) = result else {
                    say(pushed, difference, id)
                    return end(Self.done(difference, isApplied: true, backup: backup))
                }
                if let backup { discard(backup, of: pushed) }
                guard error is SchemaSwap.BackupIsOld, tries > 1 else { return end(Self.answer(to: error)) }
                self.swap(engine, pushed, difference, id, tries: tries - 1, end)
            }
        }
        if !worker.add(.schema(swap)) {
            if let backup { discard(backup, of: pushed) }
            end(Self.refusal(503, "the hub is stopping; nothing was changed"))
        }
    }

    private func say(_ pushed: PushedSchema, _ difference: SchemaDifference, _ id: String) {
        log(.notice, "the schema was changed by \(pushed.author): \(difference.changes.count) changes", request: id)
        for remark in Schema.remarks(sdl: pushed.text) {
            log(.warning, "the schema's line \(remark.line): \(printable(remark.message))", request: id)
        }
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

    /// Removes the backup of a push that changed nothing. It stays where that cannot be seen in the database: it may be
    /// all that is left of what the schema takes away.
    private func discard(_ backup: String, of pushed: PushedSchema) {
        do {
            let connection = try Connection.open(path: HubBackup.database(in: directory), options: .readOnly)
            guard try PushedSchema.read(connection) != pushed else {
                throw HubError("the database has the schema all the same")
            }
            try Files.remove(backup)
            try Files.remove(BackupManifest.path(of: backup))
        } catch {
            log(.warning, "\(backup), made for a schema that was not taken, stays: \(error)")
        }
    }
}

/// A schema lacks what the hub's functions are configured for, or needs a function that is not.
struct FunctionsDoNotFit: Error {
    let reason: String
}
