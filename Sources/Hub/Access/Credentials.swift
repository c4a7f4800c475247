import AppSync
import Basics
import Transport

/// What a request shows of who sends it, as it came: nothing here is believed yet.
///
/// HTTP header fields and the realtime protocol's authorisation object give the same (`appsync-protocol.md` §4.2, §5.1);
/// names are compared without regard to case, and what neither knows is left aside.
public struct Credentials: Sendable, Hashable {
    /// `x-api-key`.
    public var apiKey: String?
    /// `authorization`: a token with or without `Bearer `, or a signature of AWS.
    public var authorization: String?
    /// `x-bincount-person`.
    public var person: String?
    /// `x-bincount-device`.
    public var device: String?
    /// `x-amz-date`: clients send it beside keys, tokens and signatures alike.
    public var date: String?

    /// Puts credentials together.
    public init(
        apiKey: String? = nil, authorization: String? = nil, person: String? = nil, device: String? = nil,
        date: String? = nil
    ) {
        self.apiKey = apiKey
        self.authorization = authorization
        self.person = person
        self.device = device
        self.date = date
    }

    /// Reads the header fields of an HTTP request.
    public init(_ headers: HTTPHeaders) {
        self.init { headers[$0] }
    }

    /// Reads a realtime authorisation object.
    public init(_ object: RealtimeAuthorization) {
        self.init { object[$0] }
    }

    private init(_ value: (String) -> String?) {
        // An empty header is none; nothing that is a credential is longer than a header may be anyway.
        func text(_ name: String, limit: Int = 16_384) -> String? {
            value(name).flatMap { $0.isEmpty || $0.utf8.count > limit ? nil : $0 }
        }
        self.init(
            apiKey: text(HeaderName.apiKey), authorization: text(HeaderName.authorization),
            person: text(HeaderName.person), device: text(HeaderName.device), date: text(HeaderName.amazonDate))
    }

    /// Whether nothing at all says who sends it.
    public var isEmpty: Bool { (apiKey ?? "").isEmpty && (authorization ?? "").isEmpty }

    /// Whether it is signed with AWS credentials.
    var isSigned: Bool { authorization?.hasPrefix("AWS4-HMAC-SHA256") ?? false }

    /// The token without its scheme.
    var token: String? {
        guard let authorization, !authorization.isEmpty, !isSigned else { return nil }
        let parts = authorization.split(separator: " ", omittingEmptySubsequences: true)
        guard let first = parts.first else { return "" }
        return String(parts.count > 1 && first.lowercased() == "bearer" ? parts[1] : first)
    }
}
