import Basics
import Crypto
import Models

/// A token as it came, with what several validators need of it.
struct PresentedToken: Sendable {
    let text: String
    /// A short digest that is safe to log.
    let fingerprint: String
    /// Taken apart where it is a JWT.
    let parsed: Result<JSONWebToken, JSONWebToken.Malformed>
}

/// Judges one kind of token.
protocol TokenValidator: Sendable {
    /// What it says of a token at a time of the hub's wall clock. It leaves out the device, which the token may not know.
    func validate(_ token: PresentedToken, now: Int64) -> TokenVerdict
    /// The caller as he is now, or why his token is not good any more; nil where the token was not this validator's.
    func refreshed(_ caller: Caller, now: Int64) -> Result<Caller, AuthRefusal>?
    /// Whose allowance a token goes by that it has judged of late, by the digest of its text; nil where it remembers none.
    func payer(digest: [UInt8]) -> String?
}

extension TokenValidator {
    func payer(digest: [UInt8]) -> String? { nil }
}

/// What a validator says of a token.
enum TokenVerdict: Sendable, Hashable {
    case caller(Caller)
    /// A caller whose token is to be judged again by the next request.
    case temporary(Caller)
    case refused(AuthRefusal)
    /// Another may judge it.
    case notMine
}

/// The API keys that a hub keeps in its tables.
protocol StoredKeys: Sendable {
    func caller(key: String, _ credentials: Credentials, now: Int64) -> Result<Caller, AuthRefusal>
    func refreshed(_ caller: Caller, id: String, now: Int64) -> Result<Caller, AuthRefusal>
    /// Whether a terminal has a key of its own, so that nobody else may name it.
    func isEnrolled(device: String) -> Bool
}

/// Turns what a request shows into who sends it, or into AppSync's refusal.
///
/// Synchronous and safe from any thread: everything it needs is in memory. Which way is taken goes by what is present
/// (`appsync-protocol.md` §5.1): a signature of AWS, else an API key, else the validators of tokens in their order.
public final class Authenticator: Sendable {
    private struct State: Sendable {
        var generation: UInt64 = 0
        /// Tokens whose signature was checked, by the digest of their text.
        var verified: [[UInt8]: Caller] = [:]
    }

    private static let cacheLimit = 4096

    private let keys: Locked<APIKeys>
    private let stored: any StoredKeys
    private let validators: [any TokenValidator]
    private let state = Locked(State())

    /// Takes the keys that a hub is started with, and nothing else.
    public convenience init(keys: APIKeys) {
        self.init(keys: keys, stored: NoStoredKeys(), validators: [])
    }

    init(keys: APIKeys, stored: any StoredKeys, validators: [any TokenValidator]) {
        self.keys = Locked(keys)
        self.stored = stored
        self.validators = validators
    }

    /// Grows whenever credentials may have been withdrawn or people's groups changed: time to ask ``refreshed(_:now:)``
    /// for everyone who is connected.
    public var generation: UInt64 { state.withLock { $0.generation } }

    /// Says that credentials, people or issuers' keys have changed.
    func noteChange() {
        state.withLock { state in
            state.generation += 1
            state.verified.removeAll()
        }
    }

    /// Takes other keys than the hub was started with; whoever is connected under one that is gone is shut out.
    func replace(keys new: APIKeys) {
        keys.withLock { $0 = new }
        noteChange()
    }

    /// Who shows these credentials at a time of the hub's wall clock, in milliseconds.
    public func caller(_ credentials: Credentials, now: Int64) -> Result<Caller, AuthRefusal> {
        if credentials.isSigned { return .failure(signatureRefusal) }
        if let key = credentials.apiKey, !key.isEmpty { return caller(key, credentials, now).map(withoutForeignDevice) }
        guard let token = credentials.token else { return .failure(.missing) }
        return caller(token: token, now).map { named(withoutForeignDevice($0), credentials.device) }
    }

    /// Whose allowance a request goes by, as far as that is known without checking a signature; nil where it is not. It is
    /// no verdict: what he shows may have ended.
    func payer(_ credentials: Credentials, now: Int64) -> String? {
        if credentials.isSigned { return nil }
        if let key = credentials.apiKey, !key.isEmpty { return try? caller(key, credentials, now).get().payer }
        guard !validators.isEmpty, let token = credentials.token else { return nil }
        let digest = SHA256.digest(token)
        if let known = state.withLock({ $0.verified[digest] }) { return known.payer }
        for validator in validators {
            if let payer = validator.payer(digest: digest) { return payer }
        }
        return nil
    }

    /// The caller as he is now: in other groups perhaps, or not let in any more. Ask for those who stay connected.
    public func refreshed(_ caller: Caller, now: Int64) -> Result<Caller, AuthRefusal> {
        current(caller, now).map(withoutForeignDevice)
    }

    private func current(_ caller: Caller, _ now: Int64) -> Result<Caller, AuthRefusal> {
        if let expires = caller.expires, expires <= now {
            return .failure(caller.provider == .apiKey ? .key("the key has expired") : .expired)
        }
        switch caller.source {
        case .configuredKey:
            // A caller without a fingerprint was made by the hub itself.
            if caller.fingerprint.isEmpty { return .success(caller) }
            return keys.withLock { $0.refreshed(caller) }.map { .success($0) }
                ?? .failure(.key("the key is not configured any more"))
        case .storedKey(let id): return stored.refreshed(caller, id: id, now: now)
        case .person, .issuer:
            for validator in validators {
                if let result = validator.refreshed(caller, now: now) { return result }
            }
            return .success(caller)
        }
    }

    private func caller(_ key: String, _ credentials: Credentials, _ now: Int64) -> Result<Caller, AuthRefusal> {
        let (person, device) = (credentials.person, credentials.device)
        if let caller = keys.withLock({ $0.caller(key: key, person: person, device: device) }) {
            return .success(caller)
        }
        return stored.caller(key: key, credentials, now: now)
    }

    private func caller(token text: String, _ now: Int64) -> Result<Caller, AuthRefusal> {
        guard !validators.isEmpty else { return .failure(.token("this hub takes no tokens")) }
        let digest = SHA256.digest(text)
        let (known, before) = state.withLock { ($0.verified[digest], $0.generation) }
        if let known { return refreshed(known, now: now) }
        let token = PresentedToken(
            text: text, fingerprint: Hex.encode(digest.prefix(8)),
            parsed: Result { () throws(JSONWebToken.Malformed) in try JSONWebToken(parsing: text) })
        for validator in validators {
            switch validator.validate(token, now: now) {
            case .caller(let caller):
                state.withLock { state in
                    // What was withdrawn meanwhile must not be remembered as good.
                    guard state.generation == before else { return }
                    if state.verified.count >= Self.cacheLimit { state.verified.removeAll() }
                    state.verified[digest] = caller
                }
                return .success(caller)
            case .temporary(let caller): return .success(caller)
            case .refused(let refusal): return .failure(refusal)
            case .notMine: continue
            }
        }
        if case .failure(let malformed) = token.parsed { return .failure(.token(malformed.reason)) }
        return .failure(.token("nobody here knows its issuer"))
    }

    /// A terminal that has a key of its own is named by that key alone, or by a token that was made under it: whoever else
    /// names it is at no terminal.
    private func withoutForeignDevice(_ caller: Caller) -> Caller {
        guard let device = caller.device, !caller.isDeviceProven, stored.isEnrolled(device: device) else {
            return caller
        }
        return caller.at(nil)
    }

    /// A token's holder at the terminal that he names.
    private func named(_ caller: Caller, _ device: String?) -> Caller {
        guard let device = APIKeys.claim(device), device != caller.device, !stored.isEnrolled(device: device) else {
            return caller
        }
        return caller.at(device)
    }

    private var signatureRefusal: AuthRefusal {
        let tokens = validators.isEmpty ? "" : " and tokens (authorization)"
        return AuthRefusal(
            .signature,
            "Requests signed with AWS IAM credentials are not taken here; this hub takes API keys (x-api-key)\(tokens)."
        )
    }
}

/// A hub without tables of its own keys: the simulator's, and tests'.
struct NoStoredKeys: StoredKeys {
    func caller(key: String, _ credentials: Credentials, now: Int64) -> Result<Caller, AuthRefusal> {
        .failure(.key("an unknown key"))
    }
    func refreshed(_ caller: Caller, id: String, now: Int64) -> Result<Caller, AuthRefusal> {
        .failure(.key("an unknown key"))
    }
    func isEnrolled(device: String) -> Bool { false }
}
