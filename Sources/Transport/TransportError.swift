/// Why a connection or an exchange failed.
public enum TransportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nobody answers at that address.
    case cannotConnect(String, reason: String)
    /// The server's address or port cannot be used for listening.
    case cannotListen(String, reason: String)
    /// The time for connecting or for the whole exchange is over.
    case timedOut
    /// The connection ended before the answer was whole. The server may or may not have done what was asked.
    case connectionLost
    /// The caller gave up.
    case cancelled
    /// The other side did not speak the protocol.
    case protocolViolation(String)
    /// The server answered a WebSocket request with an ordinary answer of that status.
    case upgradeRefused(status: Int)
    /// The loop, client or server was stopped.
    case stopped
    /// The server's certificate was refused. Trying again changes nothing before somebody has done something.
    case untrusted(CertificateProblem)
    /// TLS could not be agreed on, or was broken.
    case secureChannelFailed(String)

    /// Whether a request that failed so may have reached the server, and been carried out; otherwise it never left here.
    public var mayHaveArrived: Bool {
        switch self {
        case .cannotConnect, .cannotListen, .untrusted: false
        // A secure channel also breaks in the middle of an exchange.
        case .timedOut, .connectionLost, .cancelled, .protocolViolation, .upgradeRefused, .stopped,
            .secureChannelFailed:
            true
        }
    }

    /// One line for a person.
    public var description: String {
        switch self {
        case .cannotConnect(let address, let reason): "cannot connect to \(address): \(reason)"
        case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason)"
        case .timedOut: "the server did not answer in time"
        case .connectionLost: "the connection to the server was lost"
        case .cancelled: "the request was cancelled"
        case .protocolViolation(let reason): "the other side broke the protocol: \(reason)"
        case .upgradeRefused(let status): "the server refused the live connection with status \(status)"
        case .stopped: "the connection was stopped"
        case .untrusted(let problem): problem.description
        case .secureChannelFailed(let reason): "there is no secure connection to the server: \(reason)"
        }
    }
}
