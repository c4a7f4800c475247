import Basics

/// One message of the protocol `graphql-transport-ws`, which the library graphql-ws and most clients that are not
/// AppSync's speak.
public enum GraphQLTransportFrame: Sendable, Hashable {
    // To the server.
    /// `payload` may carry credentials.
    case connectionInit(payload: JSONObject)
    /// `request` is the JSON of `{"query": …, "variables": …}`.
    case subscribe(id: String, request: [UInt8])
    // To the client.
    case connectionAck
    /// `payload` is the JSON of an answer: `{"data": …}`.
    case next(id: String, payload: [UInt8])
    case error(id: String, errors: [ResponseError])
    // Both ways.
    case complete(id: String)
    case ping(payload: JSONValue?)
    case pong(payload: JSONValue?)

    /// Its name in `Sec-WebSocket-Protocol`.
    public static let subprotocolName = "graphql-transport-ws"

    /// How a server ends a connection that breaks the protocol.
    public enum CloseCode {
        /// A message that the protocol does not have.
        public static let badRequest: UInt16 = 4400
        /// `subscribe` before `connection_ack`.
        public static let unauthorized: UInt16 = 4401
        /// Credentials that are not let in.
        public static let forbidden: UInt16 = 4403
        /// No `connection_init` in time.
        public static let initialisationTimeout: UInt16 = 4408
        /// An id that is in use.
        public static let subscriberExists: UInt16 = 4409
        /// `connection_init` twice.
        public static let tooManyInitialisations: UInt16 = 4429
        /// A restart, after which clients come back; they take 1011 for final.
        public static let serviceRestart: UInt16 = 1012
        /// A reader that is too slow, which may come back.
        public static let tryAgainLater: UInt16 = 1013
    }

    /// The message's text as UTF-8.
    public var bytes: [UInt8] {
        switch self {
        case .connectionInit(let payload): Self.object("connection_init", payload: .object(payload))
        case .connectionAck: Self.object("connection_ack")
        case .complete(let id): Self.object("complete", id: id)
        case .ping(let payload): Self.object("ping", payload: payload)
        case .pong(let payload): Self.object("pong", payload: payload)
        case .error(let id, let errors): Self.object("error", id: id, payload: .array(errors.map(\.json)))
        case .next(let id, let payload): Self.object("next", id: id, raw: payload)
        case .subscribe(let id, let request): Self.object("subscribe", id: id, raw: request)
        }
    }

    private static func object(
        _ type: String, id: String? = nil, payload: JSONValue? = nil, raw: [UInt8]? = nil
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 64 + (raw?.count ?? 0))
        writer.raw("{")
        if let id {
            writer.raw("\"id\":")
            writer.string(id)
            writer.raw(",")
        }
        writer.raw("\"type\":")
        writer.string(type)
        if let payload {
            writer.raw(",\"payload\":")
            writer.value(payload)
        } else if let raw {
            writer.raw(",\"payload\":")
            writer.bytes.append(contentsOf: raw)
        }
        writer.raw("}")
        return writer.bytes
    }

    /// Reads one message; nil where it is none, which ends a connection.
    public init?(parsing bytes: [UInt8]) {
        guard case .object(let object)? = try? JSONValue(parsing: bytes), let type = object["type"]?.string else {
            return nil
        }
        let payload = object["payload"].flatMap { $0.isNull ? nil : $0 }
        let id = object["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        switch (type, id) {
        case ("connection_init", _):
            guard let payload else {
                self = .connectionInit(payload: JSONObject())
                return
            }
            guard let object = payload.object else { return nil }
            self = .connectionInit(payload: object)
        case ("connection_ack", _): self = .connectionAck
        case ("ping", _): self = .ping(payload: payload)
        case ("pong", _): self = .pong(payload: payload)
        case ("complete", let id?): self = .complete(id: id)
        case ("subscribe", let id?):
            guard let payload, payload["query"]?.string != nil else { return nil }
            self = .subscribe(id: id, request: payload.bytes)
        case ("next", let id?):
            guard let payload, payload.object != nil else { return nil }
            self = .next(id: id, payload: payload.bytes)
        case ("error", let id?):
            guard let payload, payload.array != nil else { return nil }
            self = .error(id: id, errors: ResponseError.list(json: payload))
        default: return nil
        }
    }
}
