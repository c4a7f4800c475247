import Basics
import Crypto
import Models
import System

/// Lets a function of the site judge tokens that nobody else here knows: AppSync's Lambda authorizer, for rules with
/// `allow: custom`.
///
/// Its answers are kept as long as it says. Whoever comes first waits for one, over HTTP and over a socket. Anybody can
/// come with texts that he calls tokens: what is kept of those and the places they wait in take nothing from tokens that
/// were good, and what does not even look like a token of the site's is refused without asking.
final class FunctionAuthorizer: TokenValidator {
    /// Calls the function with a payload; `isKnown` says that the token was good before.
    typealias Call =
        @Sendable (
            _ payload: [UInt8], _ isKnown: Bool, _ completion: @escaping @Sendable (FunctionOutcome) -> Void
        ) -> Void

    /// Those who wait for one answer.
    private struct Waiting: Sendable {
        let isKnown: Bool
        var bodies: [@Sendable () -> Void]
    }

    private struct State: Sendable {
        var verdicts = AuthorizerVerdicts()
        /// Who waits for an answer that is under way, and of how many tokens that were never good.
        var waiting: [[UInt8]: Waiting] = [:]
        var strangers = 0
        var call: Call?
        var onChange: @Sendable () -> Void = {}
    }

    /// Tokens that may wait: those that were never good, and beside them those that were.
    private static let strangerLimit = 1000
    private static let knownLimit = 250
    /// For how long it is not asked again after it gave no answer.
    private static let pause: Int64 = 1000
    /// Of a larger request the function is not told what it asks for: to read it would cost more than to ask.
    private static let requestLimit = 64 << 10

    private let source: Caller.Source
    private let pattern: TextPattern?
    private let time: any TimeSource
    private let log: Log
    private let state = Locked(State())
    /// Anybody can make it be asked, whatever it answers.
    private let lines: Locked<LogAllowance>

    init(function: String, pattern: TextPattern? = nil, time: any TimeSource, log: Log) {
        source = .issuer("function:" + function, key: "")
        self.pattern = pattern
        self.time = time
        self.log = log
        lines = Locked(LogAllowance(at: time.uptime()))
    }

    /// From now on it can be asked; `onChange` is called when a token that was good is refused, or stands for another
    /// caller, so that what is open under it must be looked at again.
    func connect(_ call: @escaping Call, onChange: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.call = call
            state.onChange = onChange
        }
    }

    func validate(_ token: PresentedToken, now: Int64) -> TokenVerdict {
        let digest = SHA256.digest(token.text)
        if let verdict = find(digest) { return verdict }
        guard looksRight(token.text) else {
            return .refused(Self.refusal("it does not look like one of the authorizer's"))
        }
        ask(token.text, Credentials(authorization: token.text), [], {})
        return .refused(.unavailable("the authorizer has not answered yet"))
    }

    func refreshed(_ caller: Caller, now: Int64) -> Result<Caller, AuthRefusal>? {
        guard caller.source == source else { return nil }
        return state.withLock { state in
            if let refusal = state.verdicts.withdrawn(caller) { return .failure(refusal) }
            // What runs out is asked for anew by the next request; until then what was said last holds for what is open.
            guard let newest = state.verdicts.newest(caller), newest.claims != caller.claims else {
                return .success(caller)
            }
            return .success(newest.at(caller.device))
        }
    }

    func payer(digest: [UInt8]) -> String? { state.withLock { $0.verdicts.latest(digest)?.payer } }

    /// Calls `body` when a token can be judged: at once, or when the function has answered.
    func whenReady(_ credentials: Credentials, _ request: [UInt8], _ body: @escaping @Sendable () -> Void) {
        guard let token = credentials.token else { return body() }
        guard find(SHA256.digest(token)) == nil, looksRight(token) else { return body() }
        ask(token, credentials, request, body)
    }

    /// What holds of a token. For how long goes by uptime: a clock that is set right prolongs nothing.
    private func find(_ digest: [UInt8]) -> TokenVerdict? {
        let now = time.uptime()
        return state.withLock { $0.verdicts.find(digest, at: now) }
    }

    private func looksRight(_ token: String) -> Bool { pattern?.matches(token) ?? true }

    private func ask(
        _ token: String, _ credentials: Credentials, _ request: [UInt8], _ body: @escaping @Sendable () -> Void
    ) {
        let digest = SHA256.digest(token)
        let (call, isKnown, isBusy) = state.withLock { state -> (Call?, Bool, Bool) in
            if state.waiting[digest] != nil {
                state.waiting[digest]?.bodies.append(body)
                return (nil, false, false)
            }
            let isKnown = state.verdicts.latest(digest) != nil
            let isRoom =
                isKnown
                ? state.waiting.count - state.strangers < Self.knownLimit : state.strangers < Self.strangerLimit
            guard let call = state.call, isRoom else { return (nil, isKnown, true) }
            state.waiting[digest] = Waiting(isKnown: isKnown, bodies: [body])
            if !isKnown { state.strangers += 1 }
            return (call, isKnown, false)
        }
        if isBusy {
            // Answered here: another may have got a place for the same token meanwhile, and waits for its own answer.
            keep(.failure(.busy), of: digest)
            return body()
        }
        guard let call else { return }
        call(Self.payload(token, credentials, request), isKnown) { [self] in answered(digest, $0) }
    }

    private func keep(_ outcome: FunctionOutcome, of digest: [UInt8]) {
        let now = time.uptime()
        let (result, until) = verdict(outcome, Hex.encode(digest.prefix(8)), now)
        let onChange = state.withLock { state in
            state.verdicts.keep(result, of: digest, until: until, at: now) ? state.onChange : nil
        }
        onChange?()
    }

    private func answered(_ digest: [UInt8], _ outcome: FunctionOutcome) {
        keep(outcome, of: digest)
        let bodies = state.withLock { state -> [@Sendable () -> Void] in
            guard let waiting = state.waiting.removeValue(forKey: digest) else { return [] }
            if !waiting.isKnown { state.strangers -= 1 }
            return waiting.bodies
        }
        for body in bodies { body() }
    }

    private static func refusal(_ detail: String) -> AuthRefusal {
        AuthRefusal(.token, "You are not authorized to make this call.", detail: detail)
    }

    private func verdict(
        _ outcome: FunctionOutcome, _ fingerprint: String, _ now: Int64
    ) -> (result: Result<Caller, AuthRefusal>, until: Int64) {
        let answer: AuthorizerAnswer
        switch outcome {
        case .failure(let failure):
            lines.say(.warning, "the authorizer \(failure)", on: log, at: now)
            return (.failure(.unavailable("the authorizer \(failure)")), now + Self.pause)
        case .success(let json):
            guard let read = AuthorizerAnswer(json) else {
                lines.say(
                    .warning, "the authorizer's answer is not in its contract; nobody is let in by it", on: log,
                    at: now)
                return (.failure(.unavailable("the authorizer's answer cannot be read")), now + Self.pause)
            }
            answer = read
        }
        let until = now + answer.lifetime
        guard answer.isAuthorized else { return (.failure(Self.refusal("refused by the authorizer")), until) }
        var claims = answer.context
        claims[Caller.deniedFieldsClaim] = .array(answer.deniedFields.map { .string($0) })
        let caller = Caller(
            groups: [], provider: .function, claims: claims, source: source, fingerprint: fingerprint)
        return (.success(caller), until)
    }

    /// The event that a Lambda authorizer gets.
    private static func payload(_ token: String, _ credentials: Credentials, _ request: [UInt8]) -> [UInt8] {
        let body = request.count > requestLimit ? .null : (try? JSONValue(parsing: request)) ?? .null
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
