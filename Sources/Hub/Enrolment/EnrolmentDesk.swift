import Basics
import Crypto
import System
import Transport

/// Answers `POST /enrol`: gives a terminal that knows a code its key.
///
/// Everything happens on a thread of its own, one request after the other: files are read and rows are written.
final class EnrolmentDesk: Sendable {
    /// Makes the stored key of a terminal: its code, its groups, and where the key goes.
    typealias KeyMaker =
        @Sendable (
            _ device: String, _ groups: Set<String>,
            _ completion: @escaping @Sendable (Result<String, any Error>) -> Void
        ) -> Void

    private struct State: Sendable {
        var limit = TryLimit()
        /// Requests that wait for the thread.
        var waiting = 0
        /// What was answered of late, so that a terminal that lost the answer may ask again.
        var answered: [[UInt8]: (answer: [UInt8], until: Int64)] = [:]
    }

    private static let mostWaiting = 32
    private static let repeatableMilliseconds: Int64 = 120_000

    private let codes: EnrolmentCodes
    private let tls: HubTLS?
    private let time: any TimeSource
    private let log: Log
    private let digests: @Sendable (_ device: String) -> [String]
    private let makeKey: KeyMaker
    private let executor = ThreadExecutor(name: "hub-enrol")
    private let state = Locked(State())
    /// Of lines about codes that cannot be read.
    private let unreadable: Locked<LogAllowance>
    /// Of lines about codes that are refused: anybody may try.
    private let refusals: Locked<LogAllowance>

    /// - Parameter digests: of the good keys that a terminal has.
    init(
        dataDirectory: String, tls: HubTLS?, time: any TimeSource, log: Log,
        digests: @escaping @Sendable (_ device: String) -> [String], makeKey: @escaping KeyMaker
    ) {
        codes = EnrolmentCodes(dataDirectory: dataDirectory)
        self.tls = tls
        self.time = time
        self.log = log
        self.digests = digests
        self.makeKey = makeKey
        unreadable = Locked(LogAllowance(at: time.uptime()))
        refusals = Locked(LogAllowance(at: time.uptime()))
    }

    func answer(_ request: HTTPRequest, _ responder: HTTPResponder) {
        answer(request.body, from: request.peerAddress, id: request.id) { responder.respond($0) }
    }

    /// Answers a request from an address; `id` names it in the log.
    func answer(
        _ body: [UInt8], from address: String, id: String? = nil,
        _ respond: @escaping @Sendable (HTTPResponse) -> Void
    ) {
        guard tls != nil else { return respond(Self.refusal(404, "this hub has no TLS and enrols nobody")) }
        guard let request = EnrolmentRequest(body) else {
            return respond(Self.refusal(400, "this is no request of a terminal; use `bincount enrol`"))
        }
        let uptime = time.uptime()
        let place = AddressCensus.key(address) ?? "this machine"
        let refused: HTTPResponse? = state.withLock { state in
            if let wait = state.limit.wait(place, now: uptime) {
                return Self.refusal(429, "too many wrong codes came from there; wait", retryAfter: (wait + 999) / 1000)
            }
            guard state.waiting < Self.mostWaiting else {
                return Self.refusal(503, "too many enrol at this moment; try again", retryAfter: 2)
            }
            state.waiting += 1
            return nil
        }
        if let refused { return respond(refused) }
        executor.async { [self] in
            decide(request, digest: SHA256.digest(body), address, id) { [self] response in
                state.withLock { $0.waiting -= 1 }
                respond(response)
            }
        }
    }

    func stop() { executor.stop() }

    private func decide(
        _ request: EnrolmentRequest, digest: [UInt8], _ address: String, _ id: String?,
        _ respond: @escaping @Sendable (HTTPResponse) -> Void
    ) {
        let uptime = time.uptime()
        let earlier = state.withLock { state in
            state.answered = state.answered.filter { $0.value.until > uptime }
            return state.answered[digest]?.answer
        }
        if let earlier { return respond(Self.success(earlier)) }
        guard let anchor = tls?.anchor.fingerprint,
            let code = codes.waiting(now: time.now(), problem: { sayUnreadable($0, id) }).first(where: {
                $0.anchor == anchor && $0.keys.accepts(request)
            })
        else {
            let place = AddressCensus.key(address) ?? "this machine"
            state.withLock { $0.limit.failed(place, now: uptime) }
            refusals.say(
                .warning, "a terminal at \(address) showed a code that is wrong, used or too old", on: log, request: id,
                at: uptime)
            return respond(Self.refusal(403, "the code is wrong, used already, or too old; ask for a new one"))
        }
        if let device = code.device, request.isFixed, device != request.device {
            return respond(
                Self.refusal(
                    409,
                    "the code is for the device \(device), and the data here belongs to \(request.device); ask for a "
                        + "code for that device, or enrol with an empty --data directory"))
        }
        // Its key would be withdrawn for whoever came with a code and called himself by its name.
        let known = code.device == nil ? digests(request.device) : []
        guard known.isEmpty || known.contains(where: request.hasKey) else {
            log(.warning, "a terminal at \(address) enrols as \(request.device) and has not its key", request: id)
            return respond(
                Self.refusal(
                    409,
                    "the terminal \(request.device) has a key, which this one does not show; if it is the same one, ask for "
                        + "a code for it (bincount hub enrol-code --device …), else enrol with an empty --data directory"
                ))
        }
        guard codes.use(code) else {
            return respond(Self.refusal(403, "the code was just used by another terminal; ask for a new one"))
        }
        let device = code.device ?? request.device
        makeKey(device, Set(code.groups)) { [self] result in
            switch result {
            case .success(let key):
                let answer = code.keys.answer(key: key, device: device, groups: code.groups, to: request).bytes
                state.withLock { $0.answered[digest] = (answer, uptime + Self.repeatableMilliseconds) }
                let groups = code.groups.joined(separator: ", ")
                log(
                    .notice, "the terminal \(device) at \(address) enrolled; its key may act as \(groups)", request: id)
                respond(Self.success(answer))
            case .failure(let error):
                log(.error, "the key of \(device) could not be made: \(error)", request: id)
                respond(Self.refusal(500, "the hub could not make the key: \(error); ask for a new code"))
            }
        }
    }

    /// Who made a code as another user than the hub's must hear why it is none.
    private func sayUnreadable(_ problem: String, _ id: String?) {
        unreadable.say(
            .error,
            "a code for enrolling cannot be read, so that nobody can use it: \(printable(problem)); let the "
                + "directory and all in it belong to the user that the hub runs as", on: log, request: id,
            at: time.uptime())
    }

    private static func success(_ body: [UInt8]) -> HTTPResponse {
        HTTPResponse(
            status: 200, headers: ["content-type": "application/json", "cache-control": "no-store"], body: body)
    }

    private static func refusal(_ status: Int, _ reason: String, retryAfter: Int64? = nil) -> HTTPResponse {
        var headers: HTTPHeaders = ["content-type": "application/json"]
        if let retryAfter { headers.append("retry-after", String(retryAfter)) }
        return HTTPResponse(
            status: status, headers: headers, body: JSONValue.object(["error": .string(printable(reason))]).bytes)
    }
}
