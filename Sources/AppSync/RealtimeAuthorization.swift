import Basics

/// The header object of the realtime protocol: who connects, and who starts a subscription.
///
/// It is delivered as the query's `header`, in the subprotocol, as plain HTTP headers of the upgrade, and in every
/// `start` frame (`appsync-protocol.md` §4.2). Names are compared without regard to case.
public struct RealtimeAuthorization: Sendable, Hashable {
    /// The members as sent.
    public var fields: JSONObject

    /// Wraps an object.
    public init(_ fields: JSONObject = JSONObject()) {
        self.fields = fields
    }

    /// An API key with our own two headers: the person signed in, and the device.
    public init(host: String, apiKey: String, person: String? = nil, device: String? = nil) {
        fields = ["host": .string(host), "x-api-key": .string(apiKey)]
        if let person { fields[HeaderName.person] = .string(person) }
        if let device { fields[HeaderName.device] = .string(device) }
    }

    /// A token, with the device.
    public init(host: String, token: String, device: String? = nil) {
        fields = ["host": .string(host), "Authorization": .string(token)]
        if let device { fields[HeaderName.device] = .string(device) }
    }

    /// A member's text by name in any case.
    public subscript(name: String) -> String? {
        let wanted = name.lowercased()
        return fields.members.first { $0.key.lowercased() == wanted }?.value.string
    }

    /// The value of the query item `header`: standard Base64.
    public var queryValue: String { Base64.encode(JSONValue.object(fields).bytes) }
    /// The second subprotocol: `header-` and Base64 for URLs.
    public var subprotocol: String {
        Self.subprotocolPrefix + Base64.encodeURL(JSONValue.object(fields).bytes)
    }

    /// Reads Base64 in either alphabet; nil where it is no JSON object.
    public init?(base64 text: some StringProtocol) {
        guard let bytes = Base64.decode(text), let json = try? JSONValue(parsing: bytes),
            case .object(let object) = json
        else { return nil }
        fields = object
    }

    /// Reads it from the list of offered subprotocols; nil where none carries it.
    public init?(subprotocols: [String]) {
        guard let item = subprotocols.first(where: { $0.hasPrefix(Self.subprotocolPrefix) }) else { return nil }
        self.init(base64: item.dropFirst(Self.subprotocolPrefix.count))
    }

    /// The subprotocol of the realtime protocol.
    public static let subprotocolName = "graphql-ws"
    private static let subprotocolPrefix = "header-"
}

/// The names of HTTP headers that both ends use.
public enum HeaderName {
    /// AppSync's API key.
    public static let apiKey = "x-api-key"
    /// A token, or a signature of AWS.
    public static let authorization = "authorization"
    /// When a client of AWS made a request.
    public static let amazonDate = "x-amz-date"
    /// The person signed in at the terminal.
    public static let person = "x-bincount-person"
    /// In an answer: the service's wall clock in milliseconds, by which terminals measure theirs.
    public static let now = "x-bincount-now"
    /// The terminal's device code.
    public static let device = "x-bincount-device"
}
