import Basics
import Transport

/// Lets admins alone do what concerns the whole hub: its schema, and what it has given up.
struct AdminGate: Sendable {
    /// The group whose callers may.
    static let group = "admins"

    private let authenticator: Authenticator
    private let time: any TimeSource
    private let accessLog: AccessLog

    init(_ authenticator: Authenticator, _ time: any TimeSource, _ accessLog: AccessLog) {
        self.authenticator = authenticator
        self.accessLog = accessLog
        self.time = time
    }

    /// Who asks; nil where he may not, which is then answered. The credentials can be judged by now.
    ///
    /// - Parameter purpose: what he is about to do, for the refusal.
    func admit(_ request: HTTPRequest, _ responder: HTTPResponder, to purpose: String) -> Caller? {
        switch authenticator.caller(Credentials(request.headers), now: time.now().milliseconds) {
        case .failure(let refusal):
            accessLog.turnedAway(refusal, request: request.id, from: request.peerAddress)
            responder.respond(Self.refusal(refusal.status, refusal.message))
        case .success(let caller):
            if caller.groups.contains(Self.group) { return caller }
            accessLog.refused(
                caller,
                AccessLog.Act(
                    operation: "\(request.method) \(request.path)", model: "hub", field: nil, request: request.id),
                "only \(Self.group) may")
            responder.respond(Self.refusal(403, "only \(Self.group) may \(purpose)"))
        }
        return nil
    }

    /// One line for a person, as JSON.
    static func refusal(_ status: Int, _ message: String, _ more: JSONObject = JSONObject()) -> HTTPResponse {
        var object = more
        object["message"] = .string(message)
        return HTTPResponse(
            status: status, headers: ["content-type": "application/json"], body: JSONValue.object(object).bytes)
    }
}

extension Caller {
    /// How what he does to the hub is signed.
    var author: String { printable(person ?? device ?? "the key \(fingerprint)") }
}
