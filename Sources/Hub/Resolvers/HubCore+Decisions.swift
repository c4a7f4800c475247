import AppSync
import Basics
import Models

/// What a conflict handler has decided.
enum ConflictDecision {
    /// Store this in the place of the record.
    case resolve([Value])
    /// Go through with the delete.
    case remove
    /// Refuse the mutation.
    case reject
    /// The handler could not decide: why, and what AppSync calls that.
    case failed(reason: String, type: String)
}

extension HubCore {
    /// What the handler of a LAMBDA model makes of a mutation on a stale version.
    ///
    /// - Throws: ``NeedsFunction`` where it has not been asked about the record as it is now.
    func conflictDecision(
        _ mutation: Mutation, _ stored: HubRow, preview: [Value], deleted: Bool
    ) throws -> ConflictDecision {
        let handler = resolvers[mutation.model].handler ?? ""
        guard let reply = mutation.decided?.conflict?.reply(at: stored.version) else {
            throw NeedsFunction(
                question: Question(
                    kind: .conflict, key: mutation.field.key, function: handler,
                    payload: conflictPayload(mutation, stored, preview: preview, deleted: deleted).bytes,
                    version: stored.version))
        }
        guard case .answered(let json) = reply else {
            let reason = "the conflict handler \(handler) \(reply.reason)"
            say(reason, of: handler, mutation)
            let isTired = if case .changedTooOften = reply { true } else { false }
            return .failed(reason: reason, type: isTired ? ErrorType.maxConflicts : ErrorType.conflictError)
        }
        do throws(InputError) {
            return try conflictDecision(json, mutation, stored, isDelete: deleted)
        } catch {
            let reason = "the conflict handler \(handler) gave an answer that cannot be used: \(error.message)"
            say(reason, of: handler, mutation)
            return .failed(reason: reason, type: ErrorType.conflictError)
        }
    }

    private func conflictDecision(
        _ json: JSONValue, _ mutation: Mutation, _ stored: HubRow, isDelete: Bool
    ) throws(InputError) -> ConflictDecision {
        switch json["action"]?.string {
        case "REJECT"?: return .reject
        case "REMOVE"? where isDelete: return .remove
        case "RESOLVE"? where !isDelete:
            guard case .object(let item)? = json["item"] else { throw InputError("RESOLVE comes without an item") }
            return .resolve(try resolved(item, mutation.model, stored))
        case "REMOVE"?: throw InputError("REMOVE answers a delete, this is an update")
        case "RESOLVE"?: throw InputError("RESOLVE answers an update, this is a delete")
        default: throw InputError("its action is none of RESOLVE, REJECT and REMOVE")
        }
    }

    /// The record that a handler puts in the place of the stored one: its fields and no others; the key and what the
    /// service knows of the record stay.
    private func resolved(_ item: JSONObject, _ model: ModelInfo, _ stored: HubRow) throws(InputError) -> [Value] {
        var values = stored.values
        for (position, field) in model.schema.fields.enumerated() where !model.keyPositions.contains(position) {
            guard let json = item[field.name] else {
                if position == model.createdAt { continue }
                if position == model.updatedAt {
                    values[position] = .integer(time.now().milliseconds)
                    continue
                }
                guard !field.isRequired else { throw InputError("the item has no \(field.name)") }
                values[position] = .null
                continue
            }
            values[position] = try value(json, position, model)
        }
        let own = ["__typename", "_version", "_deleted", "_lastChangedAt", "_ttl"]
        for name in item.keys where model.schema.position(of: name) == nil && !own.contains(name) {
            throw InputError("\(model.schema.name) has no field \(printable(String(name.prefix(80))))")
        }
        return values
    }

    private func value(_ json: JSONValue, _ position: Int, _ model: ModelInfo) throws(InputError) -> Value {
        do throws(WireError) {
            return try codec.value(json, position, of: model)
        } catch {
            throw InputError(printable(error.description))
        }
    }

    /// Says what a function did not do. Who sends mutations must not fill the disk with it.
    private func say(_ text: String, of function: String, _ mutation: Mutation) {
        let now = time.uptime()
        guard let suppressed = functionLines[function, default: LogAllowance(at: now)].take(now) else { return }
        log(.warning, text + LogAllowance.note(suppressed), request: mutation.request)
    }

    // MARK: Before

    /// Asks the function before a mutation, where there is one: it may change the input, or refuse.
    ///
    /// `stored` is nil for a create. What it changes needs none of the caller's rights: the site's code does it.
    ///
    /// - Throws: ``NeedsFunction`` where it has not been asked about the record as it is now.
    func askBefore(_ mutation: inout Mutation, _ stored: HubRow?) throws -> ResponseError? {
        guard let position = mutation.root.kind.mutationPosition,
            let function = resolvers[mutation.model].before[position]
        else { return nil }
        let version = stored?.version ?? 0
        guard let reply = mutation.decided?.before?.reply(at: version) else {
            throw NeedsFunction(
                question: Question(
                    kind: .before, key: mutation.field.key, function: function,
                    payload: beforePayload(mutation, stored).bytes, version: version),
                madeID: mutation.madeID)
        }
        guard case .answered(let json) = reply else {
            return functionFailed(mutation, function, reply.reason, isTimeout: reply.isTimeout)
        }
        if let message = json["errorMessage"]?.string {
            var error = mutation.error(message, json["errorType"]?.string ?? "Lambda:Handled")
            error.errorInfo = json["errorInfo"]
            return error
        }
        do throws(InputError) {
            mutation.changes = try changes(json, mutation)
        } catch {
            let reason = "gave an answer that cannot be used: \(error.message)"
            return functionFailed(mutation, function, reason, isTimeout: false)
        }
        return nil
    }

    private func changes(
        _ json: JSONValue, _ mutation: Mutation
    ) throws(InputError) -> [(position: Int, value: Value)] {
        if json.isNull { return [] }
        guard case .object(let answer) = json else { throw InputError("it is no object") }
        for key in answer.keys where !["input", "errorMessage", "errorType", "errorInfo", "data"].contains(key) {
            throw InputError("it has the unknown member \(printable(String(key.prefix(80))))")
        }
        guard let input = answer["input"], !input.isNull else { return [] }
        guard case .object(let object) = input else { throw InputError("its input is no object") }
        let model = mutation.model
        var result: [(position: Int, value: Value)] = []
        for (name, json) in object.members
        where !["_version", "_deleted", "_lastChangedAt", "__typename"].contains(name) {
            guard let position = model.schema.position(of: name) else {
                throw InputError("\(model.schema.name) has no field \(printable(String(name.prefix(80))))")
            }
            guard !model.keyPositions.contains(position) else { continue }
            result.append((position, try value(json, position, model)))
        }
        return result
    }

    /// The function itself failed, which says nothing of the mutation: whoever sent it may send it again.
    private func functionFailed(
        _ mutation: Mutation, _ function: String, _ reason: String, isTimeout: Bool
    ) -> ResponseError {
        say("\(mutation.root.name) is not carried out: the function \(function) \(reason)", of: function, mutation)
        var error = mutation.error(
            "The function \(function) \(reason); nothing was stored. Try again.", ErrorType.internalFailure)
        error.errorInfo = [
            "function": .string(function),
            "errorType": isTimeout ? "Lambda:ExecutionTimeoutException" : "Lambda:Unhandled",
        ]
        return error
    }
}

extension Reply {
    /// Why there is no answer, to follow the function's name.
    var reason: String {
        switch self {
        case .answered: "answered"
        case .failed(let failure): failure.description
        case .changedTooOften(let tries): "decided \(tries) times, and each time the record had changed meanwhile"
        case .tookTooLong: "did not come to an end in time"
        case .overloaded: "is not asked: too many requests wait"
        }
    }

    var isTimeout: Bool { self == .failed(.timedOut) || self == .tookTooLong }
}
