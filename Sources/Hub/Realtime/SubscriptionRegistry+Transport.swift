import AppSync
import Basics
import GraphQL

/// `graphql-transport-ws`: subscriptions, and queries and mutations too, for everybody else's clients.
///
/// Who connects says who he is in the payload of `connection_init`, or by the ways that AppSync's clients have; all
/// operations of the connection are his.
extension SubscriptionRegistry {
    /// A message of a connection that speaks `graphql-transport-ws`.
    mutating func receivedMessage(_ connection: UInt64, _ bytes: [UInt8]) -> [RealtimeAction] {
        guard let state = connections[connection] else { return [] }
        guard let message = GraphQLTransportFrame(parsing: bytes) else { return [invalid(connection)] }
        switch message {
        case .connectionInit(let payload):
            guard !state.isAcknowledged else {
                return [
                    .close(
                        connection, code: GraphQLTransportFrame.CloseCode.tooManyInitialisations,
                        reason: "Too many initialisation requests")
                ]
            }
            return greet(connection, payload)
        case .ping(let payload): return [send(connection, .pong(payload: payload))]
        case .pong: return []
        case .subscribe(let id, let request):
            guard state.isAcknowledged else {
                return [.close(connection, code: GraphQLTransportFrame.CloseCode.unauthorized, reason: "Unauthorized")]
            }
            return begin(connection, id, request)
        case .complete(let id):
            end(connection, id)
            // It goes on all the same, and counts until it has ended.
            connections[connection]?.operations[id] = nil
            return []
        case .connectionAck, .next, .error: return [invalid(connection)]
        }
    }

    private mutating func greet(_ connection: UInt64, _ payload: JSONObject) -> [RealtimeAction] {
        guard let state = connections[connection] else { return [] }
        let inPayload = RealtimeAuthorization(initPayload: payload)
        let object = Credentials(inPayload).isEmpty ? state.credentials.object : inPayload
        connections[connection]?.credentials = .object(object)
        guard case .success(let caller) = caller(object, on: connection) else {
            return [.close(connection, code: GraphQLTransportFrame.CloseCode.forbidden, reason: "Forbidden")]
        }
        welcome(connection, caller)
        connections[connection]?.isAcknowledged = true
        return [send(connection, .connectionAck)]
    }

    private mutating func begin(_ connection: UInt64, _ id: String, _ body: [UInt8]) -> [RealtimeAction] {
        guard let state = connections[connection] else { return [] }
        guard !state.isUsed(id) else {
            return [
                .close(
                    connection, code: GraphQLTransportFrame.CloseCode.subscriberExists,
                    reason: "Subscriber for \(printable(String(id.prefix(40)))) already exists")
            ]
        }
        let known: Caller
        switch caller(state.credentials.object, on: connection) {
        case .success(let caller): known = caller
        case .failure:
            return [.close(connection, code: GraphQLTransportFrame.CloseCode.forbidden, reason: "Forbidden")]
        }
        do throws(StartFailure) {
            guard state.subscriptions.count + state.underWay.count < limits.subscriptions else {
                throw StartFailure(
                    "Max number of \(limits.subscriptions) subscriptions reached", ErrorType.maxSubscriptionsReached)
            }
            guard let request = try runnableInTime(body, known, on: connection) else { return comeBack(connection) }
            if request.operation.kind == .subscription {
                try subscribe(connection, id, request)
                starts += 1
            } else {
                lastOperation += 1
                connections[connection]?.operations[id] = lastOperation
                connections[connection]?.underWay.insert(lastOperation)
                operations.append(
                    RealtimeOperation(
                        name: RealtimeOperation.Name(connection: connection, id: id, number: lastOperation),
                        request: HubRequest(Credentials(state.credentials.object), body: body)))
            }
            return []
        } catch {
            return [send(connection, .error(id: id, errors: error.errors))]
        }
    }

    /// The answer to an operation that ``takeOperations()`` gave; nobody hears it who does not wait for it any more.
    public mutating func answered(_ operation: RealtimeOperation.Name, _ answer: HubAnswer) -> [RealtimeAction] {
        let (connection, id) = (operation.connection, operation.id)
        connections[connection]?.underWay.remove(operation.number)
        guard connections[connection]?.operations[id] == operation.number else { return [] }
        connections[connection]?.operations[id] = nil
        guard answer.status == 200 else {
            let errors = ResponseError.list(json: (try? JSONValue(parsing: answer.body))?["errors"])
            return [send(connection, .error(id: id, errors: errors))]
        }
        return [send(connection, .next(id: id, payload: answer.body)), send(connection, .complete(id: id))]
    }

    private func invalid(_ connection: UInt64) -> RealtimeAction {
        .close(connection, code: GraphQLTransportFrame.CloseCode.badRequest, reason: "Invalid message")
    }

    private func send(_ connection: UInt64, _ message: GraphQLTransportFrame) -> RealtimeAction {
        .send(to: [connection], frame: message.bytes)
    }
}
