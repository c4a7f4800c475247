import Basics

/// One text frame of AppSync's realtime protocol, for both ends (`appsync-protocol.md` §4.3).
public enum RealtimeFrame: Sendable, Hashable {
    // To the server.
    case connectionInit
    /// `data` is the text of a JSON object with `query` and `variables`.
    case start(id: String, data: String, authorization: RealtimeAuthorization)
    case stop(id: String)
    // To the client.
    case connectionAck(timeoutMilliseconds: Int64)
    case keepAlive
    case startAck(id: String)
    /// `payload` is the JSON of `{"data": …}`.
    case data(id: String, payload: [UInt8])
    case error(id: String?, errors: [ResponseError])
    case complete(id: String)
    case connectionError([ResponseError])
    /// A type that this protocol does not have; only read, never written.
    case unknown(type: String, id: String?)

    /// The frame's text as UTF-8.
    public var bytes: [UInt8] {
        switch self {
        case .connectionInit: return Self.object("connection_init", id: nil)
        case .stop(let id): return Self.object("stop", id: id)
        case .keepAlive: return Self.object("ka", id: nil)
        case .startAck(let id): return Self.object("start_ack", id: id)
        case .complete(let id): return Self.object("complete", id: id)
        case .unknown(let type, let id): return Self.object(type, id: id)
        case .data(let id, let payload): return Self.data(id: id, payload: payload)
        case .connectionAck(let timeout):
            return Self.object("connection_ack", id: nil, payload: ["connectionTimeoutMs": .integer(timeout)])
        case .error(let id, let errors):
            return Self.object("error", id: id, payload: ["errors": .array(errors.map(\.realtimeJSON))])
        case .connectionError(let errors):
            return Self.object("connection_error", id: nil, payload: ["errors": .array(errors.map(\.realtimeJSON))])
        case .start(let id, let data, let authorization):
            return Self.object(
                "start", id: id,
                payload: [
                    "data": .string(data), "extensions": ["authorization": .object(authorization.fields)],
                ])
        }
    }

    /// A data frame around a payload that many subscribers share: only the id differs.
    public static func data(id: String, payload: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(capacity: payload.count + id.utf8.count + 40)
        writer.raw("{\"id\":")
        writer.string(id)
        writer.raw(",\"type\":\"data\",\"payload\":")
        writer.bytes.append(contentsOf: payload)
        writer.raw("}")
        return writer.bytes
    }

    private static func object(_ type: String, id: String?, payload: JSONValue? = nil) -> [UInt8] {
        var writer = JSONWriter(capacity: 64)
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
        }
        writer.raw("}")
        return writer.bytes
    }

    /// Reads a frame; a data frame's payload stays unparsed.
    ///
    /// - Throws: ``JSONError`` where the text is no JSON object, or a frame lacks what its type needs.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        let parts = try FrameParts(parsing: bytes)
        func needID() throws(JSONError) -> String {
            guard let id = parts.id else { throw JSONError(message: "the frame has no id", offset: 0) }
            return id
        }
        guard let type = parts.type else { throw JSONError(message: "the frame has no type", offset: 0) }
        switch type {
        case "data": self = .data(id: try needID(), payload: parts.payload(of: bytes))
        case "ka": self = .keepAlive
        case "start_ack": self = .startAck(id: try needID())
        case "complete": self = .complete(id: try needID())
        case "stop": self = .stop(id: try needID())
        case "connection_init": self = .connectionInit
        case "connection_ack":
            let payload = try parts.parsedPayload(of: bytes)
            self = .connectionAck(
                timeoutMilliseconds: payload?["connectionTimeoutMs"]?.integer ?? Self.defaultTimeoutMilliseconds)
        case "connection_error":
            self = .connectionError(ResponseError.list(json: try parts.parsedPayload(of: bytes)?["errors"]))
        case "error":
            self = .error(id: parts.id, errors: ResponseError.list(json: try parts.parsedPayload(of: bytes)?["errors"]))
        case "start":
            guard let payload = try parts.parsedPayload(of: bytes), let data = payload["data"]?.string else {
                throw JSONError(message: "the start frame has no payload.data", offset: 0)
            }
            self = .start(
                id: try needID(), data: data,
                authorization: RealtimeAuthorization(
                    payload["extensions"]?["authorization"]?.object ?? JSONObject()))
        default: self = .unknown(type: type, id: parts.id)
        }
    }

    /// What AppSync sends as `connectionTimeoutMs`.
    public static let defaultTimeoutMilliseconds: Int64 = 300_000
}

/// The three members of a frame, with the payload as a range of bytes.
private struct FrameParts {
    var type: String?
    var id: String?
    var payload: Range<Int>?

    init(parsing bytes: [UInt8]) throws(JSONError) {
        let result: Result<FrameParts, JSONError> = bytes.withUnsafeBufferPointer { buffer in
            var cursor = JSONCursor(buffer)
            do throws(JSONError) {
                return .success(try FrameParts(&cursor))
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    private init(_ cursor: inout JSONCursor) throws(JSONError) {
        var more = try cursor.beginObject()
        while more {
            let key = try cursor.key()
            if cursor.matches(key, "type") {
                type = try cursor.optionalString()
            } else if cursor.matches(key, "id") {
                id = try cursor.optionalString()
            } else if cursor.matches(key, "payload") {
                payload = try cursor.skipValue()
            } else {
                _ = try cursor.skipValue()
            }
            more = try cursor.nextMember()
        }
        try cursor.end()
    }

    func payload(of bytes: [UInt8]) -> [UInt8] { payload.map { Array(bytes[$0]) } ?? Array("null".utf8) }

    func parsedPayload(of bytes: [UInt8]) throws(JSONError) -> JSONValue? {
        guard let payload else { return nil }
        return try JSONValue(parsing: Array(bytes[payload]))
    }
}
