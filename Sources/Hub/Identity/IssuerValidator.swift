import Basics
import Crypto
import Models

/// Believes the tokens of one OpenID Connect issuer.
final class IssuerValidator: TokenValidator {
    /// Fetches the issuer's key set; the text is the failure's reason.
    typealias Fetch = @Sendable (@escaping @Sendable (Result<[UInt8], IssuerFailure>) -> Void) -> Void

    /// Those who wait for keys at most.
    private static let waitingLimit = 1024

    let options: IssuerOptions
    private let time: any TimeSource
    private let log: Log
    private let keys = Locked(IssuerKeys())
    private let waiting = Locked<[@Sendable () -> Void]>([])
    private let fetch = Locked<Fetch?>(nil)
    /// Called with a new set of keys and its bytes.
    private let changed = Locked<(@Sendable ([UInt8]) -> Void)?>(nil)

    init(_ options: IssuerOptions, time: any TimeSource, log: Log) {
        self.options = options
        self.time = time
        self.log = log
    }

    /// Says how keys are fetched, and begins to.
    func connect(_ fetch: @escaping Fetch, onChange: @escaping @Sendable ([UInt8]) -> Void) {
        self.fetch.withLock { $0 = fetch }
        changed.withLock { $0 = onChange }
        refreshIfOld()
    }

    /// Takes keys that were kept from an earlier run.
    func restore(_ bytes: [UInt8]) {
        guard let set = JSONWebKeySet(parsing: bytes) else { return }
        keys.withLock { $0.restore(set) }
    }

    /// Fetches keys anew that are an hour old.
    func refreshIfOld() {
        let now = time.uptime()
        if keys.withLock({ $0.begins(forAgeAt: now) }) { ask() }
    }

    /// Calls `body` when a token can be judged: at once, or after keys have been fetched that its key may be among.
    func whenReady(_ token: JSONWebToken, _ body: @escaping @Sendable () -> Void) {
        guard isMine(token), let algorithm = PublicKey.Algorithm(rawValue: token.algorithm) else { return body() }
        if case .keys = keys.withLock({ $0.find(id: token.keyID, algorithm) }) { return body() }
        let now = time.uptime()
        let (begins, isAsking) = keys.withLock { ($0.begins(forUnknownAt: now), $0.isAsking) }
        guard isAsking else { return body() }
        let isWaiting = waiting.withLock { waiting in
            guard waiting.count < Self.waitingLimit else { return false }
            waiting.append(body)
            return true
        }
        if begins {
            ask()
        } else if !keys.withLock({ $0.isAsking }) {
            // The answer came in between.
            release()
        }
        if !isWaiting { body() }
    }

    func validate(_ token: PresentedToken, now: Int64) -> TokenVerdict {
        guard case .success(let parsed) = token.parsed, isMine(parsed) else { return .notMine }
        guard let algorithm = PublicKey.Algorithm(rawValue: parsed.algorithm) else {
            // `none`, and HS256 with the issuer's public key as its secret, end here.
            return .refused(.token("its algorithm is not one of RS256 and ES256"))
        }
        let key: PublicKey
        switch keys.withLock({ $0.find(id: parsed.keyID, algorithm) }) {
        case .nothing:
            askForUnknown()
            return .refused(.unavailable("the keys of \(options.url) are not here yet"))
        case .unknown:
            askForUnknown()
            return .refused(.token("\(options.url) has no such key"))
        case .keys(let keys):
            guard let signer = keys.first(where: { parsed.isSigned(by: $0) }) else {
                // The issuer may have given the name to another key.
                askForUnknown()
                return .refused(.token("its signature is wrong"))
            }
            key = signer
        }
        do throws(TokenRules.Problem) {
            let rules = TokenRules(issuer: options.url, audiences: options.audiences, leeway: options.leeway)
            let expires = try rules.check(parsed.claims, now: now)
            guard let person = parsed.claims.claim(options.personClaim)?.string.flatMap(APIKeys.claim) else {
                return .refused(.token("it has no \(options.personClaim)"))
            }
            let claims = Dictionary(parsed.claims.members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
            var caller = Caller(
                groups: options.groups.taken(groups(parsed.claims)), person: person, provider: options.provider,
                claims: claims, expires: expires + options.leeway,
                source: .issuer(options.url, key: key.fingerprint), fingerprint: token.fingerprint)
            caller.issuerGroups = options.groups
            return .caller(caller)
        } catch {
            switch error {
            case .expired: return .refused(.expired)
            case .wrong(let reason): return .refused(.token(reason))
            }
        }
    }

    func refreshed(_ caller: Caller, now: Int64) -> Result<Caller, AuthRefusal>? {
        guard case .issuer(options.url, let key) = caller.source else { return nil }
        return keys.withLock { $0.stillHas(fingerprint: key) }
            ? .success(caller) : .failure(.withdrawn("\(options.url) does not sign with its key any more"))
    }

    private func isMine(_ token: JSONWebToken) -> Bool { token.claims["iss"]?.string == options.url }

    private func groups(_ claims: JSONObject) -> Set<String> {
        switch claims.claim(options.groupsClaim) {
        case .array(let names)?: Set(names.compactMap(\.string).filter { !$0.isEmpty })
        case .string(let name)? where !name.isEmpty: [name]
        default: []
        }
    }

    private func askForUnknown() {
        let now = time.uptime()
        if keys.withLock({ $0.begins(forUnknownAt: now) }) { ask() }
    }

    private func ask() {
        guard let fetch = fetch.current else {
            keys.withLock { $0.failed() }
            return release()
        }
        fetch { [weak self] in self?.answered($0) }
    }

    private func answered(_ result: Result<[UInt8], IssuerFailure>) {
        let now = time.uptime()
        switch result {
        case .failure(let failure):
            keys.withLock { $0.failed() }
            log(.warning, "the keys of \(printable(options.url)) cannot be fetched: \(failure)")
        case .success(let bytes):
            if let set = JSONWebKeySet(parsing: bytes) {
                if keys.withLock({ $0.came(set, at: now) }) { changed.current?(bytes) }
                if set.entries.isEmpty {
                    log(.warning, "\(printable(options.url)) publishes no key for RS256 or ES256")
                }
            } else {
                keys.withLock { $0.failed() }
                log(.warning, "the keys of \(printable(options.url)) cannot be read")
            }
        }
        release()
    }

    private func release() {
        let ready = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for body in ready { body() }
    }
}

/// Why an issuer's keys are not to be had.
struct IssuerFailure: Error, Sendable, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
