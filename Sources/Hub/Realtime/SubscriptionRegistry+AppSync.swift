import AppSync
import Basics
import GraphQL
import Models

/// AppSync's protocol (`appsync-protocol.md` §4.3).
extension SubscriptionRegistry {
    /// A frame of a connection that speaks AppSync's protocol.
    mutating func receivedFrame(_ connection: UInt64, _ bytes: [UInt8]) -> [RealtimeAction] {
        guard let state = connections[connection] else { return [] }
        let frame: RealtimeFrame
        do throws(JSONError) {
            frame = try RealtimeFrame(parsing: bytes)
        } catch {
            // Before the handshake nothing but `connection_init` is heard.
            guard state.isAcknowledged else { return [] }
            if let start = ApolloStart(bytes) { return self.start(connection, start.id, start.request, nil) }
            return [
                refuse(
                    connection, nil, ErrorType.badRequestException, "The frame cannot be read: \(error.message)", 400)
            ]
        }
        switch frame {
        case .connectionInit: return handshake(connection, bytes)
        case _ where !state.isAcknowledged: return []
        case .start(let id, let data, let authorization):
            return start(connection, id, Array(data.utf8), authorization)
        case .stop(let id):
            end(connection, id)
            return [send(connection, .complete(id: id))]
        case .unknown(let type, let id):
            if type == "connection_terminate" { return [.close(connection, code: 1000, reason: "")] }
            return [
                refuse(
                    connection, id, ErrorType.unsupportedOperation,
                    "\(printable(type)) not supported through the realtime channel")
            ]
        case .keepAlive: return []
        case .connectionAck, .startAck, .data, .error, .complete, .connectionError:
            return [
                refuse(
                    connection, nil, ErrorType.unsupportedOperation,
                    "a server's frame is not supported through the realtime channel")
            ]
        }
    }

    private mutating func handshake(_ connection: UInt64, _ bytes: [UInt8]) -> [RealtimeAction] {
        guard let state = connections[connection] else { return [] }
        var failure: ResponseError?
        switch state.credentials {
        case .noProtocol: failure = ResponseError("NoProtocolError", errorCode: 400)
        case .malformed:
            failure = ResponseError("The authorization header is malformed.", errorType: "BadRequest", errorCode: 400)
        case .object(var object):
            // Apollo's clients have their credentials in the payload; AppSync's never send any there.
            if Credentials(object).isEmpty, let payload = (try? JSONValue(parsing: bytes))?["payload"]?.object {
                object = RealtimeAuthorization(initPayload: payload)
                connections[connection]?.credentials = .object(object)
            }
            switch caller(object, on: connection) {
            case .failure(let refusal): failure = refusal.realtimeError(atConnect: true)
            case .success(let caller): welcome(connection, caller)
            }
        }
        if let failure {
            return [
                send(connection, .connectionError([failure])),
                .close(connection, code: 1008, reason: "not authorized"),
            ]
        }
        connections[connection]?.isAcknowledged = true
        return [
            send(connection, .connectionAck(timeoutMilliseconds: RealtimeFrame.defaultTimeoutMilliseconds)),
            send(connection, .keepAlive),
        ]
    }

    /// - Parameter authorization: who starts it; nil in Apollo's form, where it is who connected.
    private mutating func start(
        _ connection: UInt64, _ id: String, _ body: [UInt8], _ authorization: RealtimeAuthorization?
    ) -> [RealtimeAction] {
        guard let state = connections[connection] else { return [] }
        if state.isUsed(id) {
            return [
                refuse(connection, id, ErrorType.duplicatedOperation, "The id is in use by another subscription.", 400)
            ]
        }
        guard state.subscriptions.count < limits.subscriptions else {
            return [
                refuse(
                    connection, id, ErrorType.maxSubscriptionsReached,
                    "Max number of \(limits.subscriptions) subscriptions reached")
            ]
        }
        let caller: Caller
        switch self.caller(authorization ?? state.credentials.object, on: connection) {
        case .success(let known): caller = known
        case .failure(let refusal):
            let error = refusal.reason == .missing ? AuthRefusal.key("no credentials") : refusal
            return [send(connection, .error(id: id, errors: [error.realtimeError(atConnect: false)]))]
        }
        do throws(StartFailure) {
            guard let request = try runnableInTime(body, caller, on: connection) else { return comeBack(connection) }
            guard request.operation.kind == .subscription else {
                throw StartFailure(
                    "query and mutations are not supported through the realtime channel",
                    ErrorType.unsupportedOperation)
            }
            try subscribe(connection, id, request)
            starts += 1
            // Apollo's clients know no start_ack, and fail at what they do not know.
            return authorization == nil ? [] : [send(connection, .startAck(id: id))]
        } catch {
            return [send(connection, .error(id: id, errors: error.errors))]
        }
    }

    private func send(_ connection: UInt64, _ frame: RealtimeFrame) -> RealtimeAction {
        .send(to: [connection], frame: frame.bytes)
    }

    private func refuse(
        _ connection: UInt64, _ id: String?, _ type: String, _ message: String, _ code: Int? = nil
    ) -> RealtimeAction {
        send(connection, .error(id: id, errors: [ResponseError(message, errorType: type, errorCode: code)]))
    }
}

/// `start` as Apollo's `subscriptions-transport-ws` sends it, under the same subprotocol: the payload is the request
/// itself, and who sends it was said when it connected.
private struct ApolloStart {
    let id: String
    let request: [UInt8]

    init?(_ bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes), json["type"]?.string == "start", let id = json["id"]?.string,
            let payload = json["payload"], payload["data"] == nil, payload["query"]?.string != nil
        else { return nil }
        self.id = id
        request = payload.bytes
    }
}

extension RealtimeCredentials {
    /// The authorisation object; empty where there was none.
    var object: RealtimeAuthorization {
        if case .object(let object) = self { object } else { RealtimeAuthorization() }
    }
}

extension RealtimeAuthorization {
    /// Credentials in the payload of `connection_init`: its own members, or those of a member `headers`.
    init(initPayload payload: JSONObject) {
        var fields = payload
        for member in payload["headers"]?.object?.members ?? [] { fields[member.key] = member.value }
        self.init(fields)
    }
}
