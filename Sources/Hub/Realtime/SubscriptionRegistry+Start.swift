import AppSync
import Basics
import GraphQL
import Models

/// Why a subscription does not start.
struct StartFailure: Error {
    let errors: [ResponseError]

    init(_ message: String, _ type: String? = nil, _ code: Int? = nil) {
        errors = [ResponseError(message, errorType: type, errorCode: code)]
    }

    init(_ failure: RequestFailure) {
        switch failure {
        case .invalid(let found): errors = found
        case .malformed(let message):
            errors = [ResponseError(message, errorType: ErrorType.badRequestException, errorCode: 400)]
        case .refused(let refusal): errors = [refusal.realtimeError(atConnect: false)]
        }
    }
}

extension SubscriptionRegistry {
    /// Checks a document that a client sent, in the time that he may make commits wait; nil where that is spent. He is to
    /// come again later, rather than to go on without what he asked for.
    mutating func runnableInTime(
        _ body: [UInt8], _ caller: Caller, on connection: UInt64
    ) throws(StartFailure) -> RunnableRequest? {
        let began = core.time.uptime()
        if allowance.isSpent(by: caller.payer, now: began) { return nil }
        defer {
            let now = core.time.uptime()
            allowance.spend(now - began, by: caller.payer, now: now)
        }
        return try runnable(body, caller, on: connection)
    }

    /// Closes the connection of somebody who has made commits wait for as long as he may.
    func comeBack(_ connection: UInt64) -> [RealtimeAction] {
        guard let dialect = connections[connection]?.dialect else { return [] }
        return [.close(connection, code: dialect.comeBack, reason: "its subscriptions keep everybody waiting")]
    }

    /// Checks a document that came over a connection, as one that came over HTTP.
    func runnable(
        _ body: [UInt8], _ caller: Caller, on connection: UInt64
    ) throws(StartFailure) -> RunnableRequest {
        switch core.engine.runnable(body, core.rights(of: caller), id: connections[connection]?.id) {
        case .failure(let failure): throw StartFailure(failure)
        case .success(let runnable): return runnable
        }
    }

    /// Starts a subscription once its arguments and rights are checked.
    mutating func subscribe(
        _ connection: UInt64, _ id: String, _ request: RunnableRequest
    ) throws(StartFailure) {
        guard let dialect = connections[connection]?.dialect else { return }
        let roots = request.operation.roots(request.variables.json)
        guard roots.count <= 1 else {
            throw StartFailure(
                "Validation error of type \(Validator.severalRoots)", ErrorType.badRequestException, 400)
        }
        guard let field = roots.first, let selection = field.selection, case .root(let root) = field.definition.source
        else { throw StartFailure("The subscription selects nothing.", ErrorType.badRequestException, 400) }
        let model = core.engine.schema.models[root.model]
        let rights = request.rights
        let sight = rights.sight(root.model, .listen)
        guard !sight.rows.isNone, !rights.caller.isDenied(root) else {
            throw unauthorized(root, request, "no rule gives listen")
        }
        var arguments: [ArgumentRule] = []
        let filter: RowFilter
        do {
            filter = try core.engine.filter("filter", of: field, model, request.variables)
            try FieldDenied.check(filter.positions, sight, model)
            try limits.subscriptionFilter.check(filter, model.schema)
            for name in model.ownerArguments {
                guard let argument = try argumentRule(name, field, model, request) else { continue }
                try FieldDenied.check([argument.position], sight, model)
                guard sight.rows.isOwn(argument) else {
                    throw unauthorized(root, request, "the owner named is somebody else")
                }
                arguments.append(argument)
            }
        } catch let error as InputError {
            throw StartFailure(error.message)
        } catch let error as FieldDenied {
            throw unauthorized(root, request, "no rule gives the field for listen", field: error)
        } catch {
            throw error as? StartFailure ?? StartFailure("\(error)")
        }
        let key = GroupKey(root: root, signature: ByteText(field.key + selection.signature))
        let member = Subscription(
            connection: connection, id: id, dialect: dialect, sight: sight, filter: filter,
            arguments: arguments, request: request)
        guard memory.admits(member, limit: limits.subscriptionBytes) else {
            throw StartFailure(
                "Your subscriptions take more than \(limits.subscriptionBytes) bytes; ask for less, or use variables.",
                ErrorType.maxSubscriptionsReached)
        }
        add(member, to: SubscriptionGroup(field: field, selection: selection, model: root.model), key)
    }

    /// AppSync's basic filter: an argument named as a field is compared with it; left out it filters nothing, and an
    /// explicit null wants records in which the field is missing.
    private func argumentRule(
        _ name: String, _ field: SelectedField, _ model: ModelInfo, _ request: RunnableRequest
    ) throws(InputError) -> ArgumentRule? {
        guard let argument = field.arguments.first(where: { $0.name == name }),
            let position = model.schema.position(of: name)
        else { return nil }
        if case .variable(let variable) = argument.value.kind, request.variables.json[variable] == nil { return nil }
        guard let value = try core.engine.argument(name, of: field, request.variables)?.string else {
            return .missing(position)
        }
        // By whichever of his names he calls himself, he means the records that he owns.
        let names = request.rights.caller.ownerNames(of: position, model).first { $0.containsBytes(of: value) } ?? []
        return .named(
            RowRule(
                position: position, isList: model.schema.fields[position].isList,
                accepted: [value] + names.filter { $0 != value }, isOwner: true))
    }

    private func unauthorized(
        _ root: RootField, _ request: RunnableRequest, _ reason: String, field: FieldDenied? = nil
    ) -> StartFailure {
        core.engine.accessLog.refused(
            request.rights.caller,
            AccessLog.Act(
                operation: root.name, model: core.engine.schema.models[root.model].schema.name, field: field?.field,
                request: request.id),
            reason)
        let (name, type) = field.map { ($0.field, $0.type) } ?? (root.name, "Subscription")
        return StartFailure("Not Authorized to access \(name) on type \(type)", ErrorType.unauthorized, 401)
    }
}

extension Access {
    /// Whether an argument that names an owner names the caller himself; who may read all rows may name anybody.
    fileprivate func isOwn(_ argument: ArgumentRule) -> Bool {
        guard case .rows(let rules) = self else { return true }
        guard case .named(let named) = argument, let value = named.accepted.first else { return false }
        return rules.contains {
            $0.isOwner && $0.position == named.position && $0.accepted.containsBytes(of: value)
        }
    }
}
