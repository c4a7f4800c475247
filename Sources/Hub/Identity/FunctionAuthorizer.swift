import Basics
import Crypto
import Models

/// Lets a function of the site judge tokens that nobody else here knows: AppSync's Lambda authorizer, for rules with
/// `allow: custom`.
///
/// Its answers are kept as long as it says. Whoever comes first waits for one, over HTTP and over a socket.
final class FunctionAuthorizer: TokenValidator {
    /// Calls the function with a payload.
    typealias Call = @Sendable (_ payload: [UInt8], _ completion: @escaping @Sendable (FunctionOutcome) -> Void) -> Void

    private struct Verdict: Sendable {
        let result: Result<Caller, AuthRefusal>
        let fingerprint: String
        let until: Int64
    }

    private struct State: Sendable {
        var verdicts: [[UInt8]: Verdict] = [:]
        /// Who waits for an answer that is under way.
        var waiting: [[UInt8]: [@Sendable () -> Void]] = [:]
        var call: Call?
    }

    private static let verdictLimit = 4096
    private static let waitingLimit = 1000
    /// For how long it is not asked again after it gave no answer.
    private static let pause: Int64 = 1000

    private let source: Caller.Source
    private let time: any TimeSource
    private let log: Log
    private let state = Locked(State())
    /// Anybody can make it be asked, whatever it answers.
    private let lines: Locked<LogAllowance>

    init(function: String, time: any TimeSource, log: Log) {
        source = .issuer("function:" + function, key: "")
        self.time = time
        self.log = log
        lines = Locked(LogAllowance(at: time.uptime()))
    }

    /// From now on it can be asked.
    func connect(_ call: @escaping Call) { state.withLock { $0.call = call } }

    func validate(_ token: PresentedToken, now: Int64) -> TokenVerdict {
        let digest = SHA256.digest(token.text)
        if let verdict = state.withLock({ $0.verdicts[digest] }), verdict.until > now {
            switch verdict.result {
            case .success(let caller): return .temporary(caller)
            case .failure(let refusal): return .refused(refusal)
            }
        }
        ask(token.text, Credentials(authorization: token.text), [], {})
        return .refused(.unavailable("the authorizer has not answered yet"))
    }

    func refreshed(_ caller: Caller, now: Int64) -> Result<Caller, AuthRefusal>? {
        guard caller.source == source else { return nil }
        let latest = state.withLock { state in state.verdicts.values.first { $0.fingerprint == caller.fingerprint } }
        // What runs out is asked for anew by the next request; only a refusal ends what is open.
        if case .failure(let refusal)? = latest?.result, refusal.reason != .unavailable { return .failure(refusal) }
        return .success(caller)
    }

    /// Calls `body` when a token can be judged: at once, or when the function has answered.
    func whenReady(_ credentials: Credentials, _ request: [UInt8], _ body: @escaping @Sendable () -> Void) {
        guard let token = credentials.token else { return body() }
        let now = time.now().milliseconds
        let digest = SHA256.digest(token)
        if let verdict = state.withLock({ $0.verdicts[digest] }), verdict.until > now { return body() }
        ask(token, credentials, request, body)
    }

    private func ask(
        _ token: String, _ credentials: Credentials, _ request: [UInt8], _ body: @escaping @Sendable () -> Void
    ) {
        let digest = SHA256.digest(token)
        let call: Call? = state.withLock { state in
            if state.waiting[digest] != nil {
                state.waiting[digest]?.append(body)
                return nil
            }
            guard let call = state.call, state.waiting.count < Self.waitingLimit else {
                return { _, done in done(.failure(.busy)) }
            }
            state.waiting[digest] = [body]
            return call
        }
        guard let call else { return }
        call(Self.payload(token, credentials, request)) { [self] outcome in answered(digest, outcome, body) }
    }

    private func answered(_ digest: [UInt8], _ outcome: FunctionOutcome, _ body: @Sendable () -> Void) {
        let now = time.now().milliseconds
        let judged = verdict(outcome, Hex.encode(digest.prefix(8)), now)
        let bodies = state.withLock { state -> [@Sendable () -> Void]? in
            if state.verdicts.count >= Self.verdictLimit {
                state.verdicts = state.verdicts.filter { $0.value.until > now }
                if state.verdicts.count >= Self.verdictLimit { state.verdicts.removeAll() }
            }
            state.verdicts[digest] = judged
            return state.waiting.removeValue(forKey: digest)
        }
        guard let bodies else { return body() }
        for body in bodies { body() }
    }

    private func verdict(_ outcome: FunctionOutcome, _ fingerprint: String, _ now: Int64) -> Verdict {
        let answer: AuthorizerAnswer
        switch outcome {
        case .failure(let failure):
            lines.say(.warning, "the authorizer \(failure)", on: log, at: time.uptime())
            let refusal = AuthRefusal.unavailable("the authorizer \(failure)")
            return Verdict(result: .failure(refusal), fingerprint: fingerprint, until: now + Self.pause)
        case .success(let json):
            guard let read = AuthorizerAnswer(json) else {
                lines.say(
                    .warning, "the authorizer's answer is not in its contract; nobody is let in by it", on: log,
                    at: time.uptime())
                let refusal = AuthRefusal.unavailable("the authorizer's answer cannot be read")
                return Verdict(result: .failure(refusal), fingerprint: fingerprint, until: now + Self.pause)
            }
            answer = read
        }
        let until = now + answer.lifetime
        guard answer.isAuthorized else {
            let refusal = AuthRefusal(
                .token, "You are not authorized to make this call.", detail: "refused by the authorizer")
            return Verdict(result: .failure(refusal), fingerprint: fingerprint, until: until)
        }
        var claims = answer.context
        claims[Caller.deniedFieldsClaim] = .array(answer.deniedFields.map { .string($0) })
        let caller = Caller(
            groups: [], provider: .function, claims: claims, source: source, fingerprint: fingerprint)
        return Verdict(result: .success(caller), fingerprint: fingerprint, until: until)
    }

    /// The event that a Lambda authorizer gets.
    private static func payload(_ token: String, _ credentials: Credentials, _ request: [UInt8]) -> [UInt8] {
        let body = (try? JSONValue(parsing: request)) ?? .null
        var headers: JSONObject = ["authorization": .string(token)]
        if let device = credentials.device { headers["x-bincount-device"] = .string(device) }
        let json: JSONValue = [
            "authorizationToken": .string(token),
            "requestContext": [
                "apiId": "bincount", "accountId": "", "requestId": .string(SecureRandom.hex(byteCount: 16)),
                "queryString": body["query"] ?? "", "operationName": body["operationName"] ?? .null,
                "variables": body["variables"] ?? .object(JSONObject()),
            ],
            "requestHeaders": .object(headers),
        ]
        return json.bytes
    }
}
