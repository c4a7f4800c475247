import AppSync

/// Why a caller is not let in: AppSync's status, kind and message (`appsync-protocol.md` §5.2), made for the client, and
/// what the log says.
public struct AuthRefusal: Error, Sendable, Hashable {
    /// What is wrong with the credentials.
    public enum Reason: String, Sendable, Hashable {
        /// There are none.
        case missing
        /// A key that is unknown, revoked or expired.
        case key
        /// Something that cannot be read as a token, or whose signature or claims are wrong.
        case token
        /// A token that was good once.
        case expired
        /// Signed with AWS credentials, which a hub does not take.
        case signature
        /// The issuer's keys cannot be had now; the same token may be taken later.
        case unavailable
    }

    /// What is wrong.
    public let reason: Reason
    /// The HTTP status.
    public let status: Int
    /// The kind of the error.
    public let errorType: String
    /// The error's message.
    public let message: String
    /// What the log adds; it never holds a key or a token.
    public let detail: String

    init(_ reason: Reason, _ message: String, status: Int = 401, detail: String = "") {
        self.reason = reason
        self.status = status
        errorType = reason == .unavailable ? "ServiceUnavailableException" : ErrorType.unauthorizedException
        self.message = message
        self.detail = detail
    }

    static let missing = AuthRefusal(.missing, "Valid authorization header not provided.")

    /// A key that opens nothing. What was wrong with it is for the log alone.
    static func key(_ detail: String) -> AuthRefusal {
        AuthRefusal(.key, "You are not authorized to make this call.", detail: detail)
    }

    /// A token that cannot be believed.
    static func token(_ detail: String) -> AuthRefusal {
        AuthRefusal(.token, "Unable to parse JWT token.", detail: detail)
    }

    static let expired = AuthRefusal(.expired, "Token has expired.")

    static func unavailable(_ detail: String) -> AuthRefusal {
        AuthRefusal(.unavailable, "The token cannot be checked now; try again.", status: 503, detail: detail)
    }

    /// The error as the realtime protocol has it when connecting, and when a subscription starts.
    func realtimeError(atConnect: Bool) -> ResponseError {
        if reason == .missing { return ResponseError("Required headers are missing.", errorCode: 400) }
        return ResponseError(
            message, errorType: errorType, errorCode: reason == .unavailable ? 503 : atConnect ? 400 : 401)
    }
}
