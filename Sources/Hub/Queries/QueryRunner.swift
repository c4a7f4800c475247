import AppSync
import Basics
import Crypto
import GraphQL
import Models
import SQLite

/// Answers queries over one connection, which may be a reader's; confined to its executor.
final class QueryRunner {
    /// Rows of a page where the caller names no limit, and at most.
    static let defaultLimit = 100
    static let maximumLimit = 1000
    /// Rows that one page reads at most in search of those that pass.
    static let scanLimit = 20_000

    let engine: HubEngine
    let connection: Connection
    let tables: [BaseTable]
    let tokenKey: [UInt8]
    let extensions: [UInt8]
    /// What the running request has cost.
    var budget: RequestBudget
    /// What the answer of the running request says beside its data.
    var notes = JSONObject()
    private let announced: JSONObject
    private let time: any TimeSource
    private var allowance: CommitTimeAllowance
    /// Makes every page token another.
    private let tokenSeries = SecureRandom.hex(byteCount: 8)
    private var tokenCount: UInt64 = 0

    init(
        _ engine: HubEngine, _ connection: Connection, _ tables: [BaseTable], tokenKey: [UInt8], epoch: String,
        lives: HubLives, time: any TimeSource
    ) {
        self.engine = engine
        self.time = time
        budget = RequestBudget(engine.limits, time)
        allowance = CommitTimeAllowance(capacity: engine.limits.besideCommits.milliseconds)
        self.connection = connection
        self.tables = tables
        self.tokenKey = tokenKey
        var announced: JSONObject = [
            "mutationIds": true, "atomic": true, "operations": true, "digest": true, "needs": true,
            "bases": true, "left": true,
            "batch": .integer(Int64(HubCore.batchLimit)), "epoch": .string(epoch), "began": .integer(lives.began),
        ]
        announced[WireExtension.lives] = lives.announcement
        self.announced = announced
        extensions = Self.extensions(announced)
    }

    func uniqueText() -> String {
        tokenCount += 1
        return tokenSeries + String(tokenCount, radix: 16)
    }

    private static func extensions(_ announced: JSONObject) -> [UInt8] {
        Array(",\"extensions\":".utf8) + JSONValue.object(["bincount": .object(announced)]).bytes + [UInt8(ascii: "}")]
    }

    /// Answers one request of queries from one snapshot.
    func answer(_ request: RunnableRequest) -> HubAnswer {
        do {
            if connection.isInTransaction { return try run(request) }
            try connection.begin(.deferred)
            // Nothing was written, so that there is nothing to commit.
            defer { connection.rollback() }
            return try run(request)
        } catch {
            engine.accessLog.failed("a query failed: \(error)", request: request.id)
            return .error(500, ErrorType.internalFailure, "The hub's database cannot be read.")
        }
    }

    /// A request begins: what the last one cost is forgotten.
    func begin() {
        budget = RequestBudget(engine.limits, time)
        notes = JSONObject()
    }

    /// What one who is served by the thread that commits may cost: of mutations and events.
    func budgetBesideCommits(for caller: Caller) -> RequestBudget {
        var limits = engine.limits.besideCommits
        limits.milliseconds = allowance.milliseconds(of: caller.payer, now: time.uptime())
        return RequestBudget(limits, time)
    }

    /// Does something for a caller, while commits wait, at his expense.
    func besideCommits<R>(for caller: Caller, _ body: () throws -> R) rethrows -> R {
        let began = time.uptime()
        defer {
            let now = time.uptime()
            allowance.spend(now - began, by: caller.payer, now: now)
        }
        return try body()
    }

    /// Whether a caller has made commits wait for as long as he may.
    func isSpent(by caller: Caller) -> Bool { allowance.isSpent(by: caller.payer, now: time.uptime()) }

    private func run(_ request: RunnableRequest) throws -> HubAnswer {
        begin()
        var encoder = RowEncoder(engine.limits, capacity: 4096)
        encoder.writer.raw("{\"data\":{")
        for (index, field) in request.operation.roots(request.variables.json).enumerated() {
            if index > 0 { encoder.writer.raw(",") }
            encoder.writer.bytes.append(contentsOf: field.keyBytes)
            let (start, before) = (encoder.written, budget.bytes)
            switch field.definition.source {
            case .root(let root):
                try answer(root, field, request, &encoder)
                engine.accessLog.refused(encoder.errors.takeDenied(), root, request)
            case .introspection: introspect(field, request, &encoder)
            default: encoder.writer.string("Query")
            }
            budget.count(grown: encoder.written - start, since: before)
        }
        if notes.isEmpty { return encoder.finished(extensions) }
        var all = announced
        for member in notes.members { all[member.key] = member.value }
        return encoder.finished(Self.extensions(all))
    }

    private func introspect(_ field: SelectedField, _ request: RunnableRequest, _ encoder: inout RowEncoder) {
        var name: String?
        if field.definition.name == "__type" {
            name = (try? engine.argument("name", of: field, request.variables))?.string ?? ""
        }
        let mark = encoder.writer.bytes.count
        do {
            try budget.resolve()
            try Introspection(engine.schema, request.variables, limit: engine.limits.answerBytes)
                .write(field, typeName: name, into: &encoder.writer)
        } catch {
            encoder.writer.bytes.removeLast(encoder.writer.bytes.count - mark)
            encoder.writer.raw("null")
            let problem =
                error as? ResponseError ?? engine.limits.answerTooLarge
            encoder.fail(problem, at: field)
        }
    }

    private func answer(
        _ root: RootField, _ field: SelectedField, _ request: RunnableRequest, _ encoder: inout RowEncoder
    ) throws {
        let model = engine.schema.models[root.model]
        let sight = request.rights.sight(root.model, root.operation)
        func fail(_ message: String, _ type: String?) {
            encoder.fail(ResponseError(message, errorType: type), at: field)
            encoder.writer.raw("null")
        }
        func refuse(_ denied: FieldDenied?) {
            let (name, type) = denied.map { ($0.field, $0.type) } ?? (root.name, "Query")
            fail("Not Authorized to access \(name) on type \(type)", ErrorType.unauthorized)
            engine.accessLog.refused(
                request.rights.caller,
                AccessLog.Act(
                    operation: root.name, model: model.schema.name, field: denied?.field, request: request.id),
                denied == nil ? "no rule gives \(root.operation)" : "no rule gives the field for \(root.operation)")
        }
        guard !sight.rows.isNone, !request.rights.caller.isDenied(root), let selection = field.selection else {
            refuse(nil)
            return
        }
        do {
            try budget.resolve()
            if root.kind == .get {
                guard let key = try self.key(of: model, field, request),
                    let row = try tables[root.model].fetch(key, on: connection), sight.rows.allows(row.values)
                else {
                    encoder.writer.raw("null")
                    return
                }
                let (shown, hidden) = sight.shown(row)
                encoder.encode(
                    shown, selection, model, selection.hasRelations ? resolver(request) : nil, hidden: hidden
                ) {
                    [.field(field.key)]
                }
                return
            }
            let walk = try self.walk(root, field, model, sight, request)
            try encode(walk, selection, model, request, into: &encoder) { [.field(field.key)] }
        } catch let error as InputError {
            fail(error.message, nil)
        } catch let error as PageError {
            fail(error.message, ErrorType.badRequest)
        } catch let error as FieldDenied {
            refuse(error)
        } catch let error as ResponseError {
            fail(error.message, error.errorType)
        }
    }

    /// The key that a `get` names; nil where no record can have it.
    private func key(of model: ModelInfo, _ field: SelectedField, _ request: RunnableRequest) throws -> String? {
        let parts = try model.keyPositions.map { position in
            let schema = model.schema.fields[position]
            guard let json = try engine.argument(schema.name, of: field, request.variables) else { return Value.null }
            return try storage(json, schema, model)
        }
        return ModelInfo.key(joining: parts)
    }

    func storage(_ json: JSONValue, _ field: FieldSchema, _ model: ModelInfo) throws(InputError) -> Value {
        do {
            return try engine.schema.source.storageValue(of: json, for: field, in: model.schema.name)
        } catch {
            throw InputError("Variable '\(field.name)' has an invalid value. \(error.message)")
        }
    }
}

/// A page that cannot be given.
struct PageError: Error {
    let message: String

    static let invalidToken = PageError(message: "Invalid pagination token given.")
    static let lostPlace = PageError(
        message: "The record at which the last page ended is there no more; begin at the first page.")
}
