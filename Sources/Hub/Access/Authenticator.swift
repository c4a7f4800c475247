import Basics
import Crypto
import Models

/// Judges one kind of token.
protocol TokenValidator: Sendable {
    /// What it says of a token at a time of the hub's wall clock.
    func validate(_ token: String, now: Int64) -> TokenVerdict
    /// The caller as he is now, or why his token is not good any more; nil where the token was not this validator's.
    func refreshed(_ caller: Caller, now: Int64) -> Result<Caller, AuthRefusal>?
}

/// What a validator says of a token.
enum TokenVerdict: Sendable, Hashable {
    case caller(Caller)
    case refused(AuthRefusal)
    /// Another may judge it.
    case notMine
}

/// Turns what a request shows into who sends it, or into AppSync's refusal.
///
/// Synchronous and safe from any thread: everything it needs is in memory. Which way is taken goes by what is present
/// (`appsync-protocol.md` §5.1): a signature of AWS, else an API key, else the validators of tokens in their order.
public final class Authenticator: Sendable {
    private let keys: APIKeys
    private let stored: any StoredKeys
    private let validators: [any TokenValidator]
    private let epoch = Locked<UInt64>(0)

    /// Takes the keys that a hub is started with, and nothing else.
    public convenience init(keys: APIKeys) {
        self.init(keys: keys, stored: NoStoredKeys(), validators: [])
    }

    init(keys: APIKeys, stored: any StoredKeys, validators: [any TokenValidator]) {
        self.keys = keys
        self.stored = stored
        self.validators = validators
    }

    /// Grows whenever credentials may have been withdrawn or people's groups changed: time to ask ``refreshed(_:now:)``
    /// for everyone who is connected.
    public var generation: UInt64 { epoch.current }

    /// Says that credentials or people have changed.
    func noteChange() { epoch.withLock { $0 += 1 } }

    /// Who shows these credentials at a time of the hub's wall clock, in milliseconds.
    public func caller(_ credentials: Credentials, now: Int64) -> Result<Caller, AuthRefusal> {
        if credentials.isSigned { return .failure(signatureRefusal) }
        if let key = credentials.apiKey, !key.isEmpty { return caller(key, credentials, now) }
        guard let token = credentials.token else { return .failure(.missing) }
        for validator in validators {
            switch validator.validate(token, now: now) {
            case .caller(let caller): return .success(caller)
            case .refused(let refusal): return .failure(refusal)
            case .notMine: continue
            }
        }
        return .failure(.token(validators.isEmpty ? "this hub takes no tokens" : "nobody here knows its issuer"))
    }

    /// The caller as he is now: in other groups perhaps, or not let in any more. Ask for those who stay connected.
    public func refreshed(_ caller: Caller, now: Int64) -> Result<Caller, AuthRefusal> {
        if let expires = caller.expires, expires <= now {
            return .failure(caller.provider == .apiKey ? .key("the key has expired") : .expired)
        }
        switch caller.source {
        case .configuredKey: return .success(caller)
        case .storedKey(let id): return stored.refreshed(caller, id: id, now: now)
        case .person, .issuer:
            for validator in validators {
                if let result = validator.refreshed(caller, now: now) { return result }
            }
            return .success(caller)
        }
    }

    private func caller(_ key: String, _ credentials: Credentials, _ now: Int64) -> Result<Caller, AuthRefusal> {
        if let caller = keys.caller(key: key, person: credentials.person, device: credentials.device) {
            return .success(caller)
        }
        return stored.caller(key: key, credentials, now: now)
    }

    private var signatureRefusal: AuthRefusal {
        let tokens = validators.isEmpty ? "" : " and tokens (authorization)"
        return AuthRefusal(
            .signature,
            "Requests signed with AWS IAM credentials are not taken here; this hub takes API keys (x-api-key)\(tokens)."
        )
    }
}

/// The API keys that a hub keeps in its tables.
protocol StoredKeys: Sendable {
    func caller(key: String, _ credentials: Credentials, now: Int64) -> Result<Caller, AuthRefusal>
    func refreshed(_ caller: Caller, id: String, now: Int64) -> Result<Caller, AuthRefusal>
}

/// A hub without tables of its own keys: the simulator's, and tests'.
struct NoStoredKeys: StoredKeys {
    func caller(key: String, _ credentials: Credentials, now: Int64) -> Result<Caller, AuthRefusal> {
        .failure(.key("an unknown key"))
    }
    func refreshed(_ caller: Caller, id: String, now: Int64) -> Result<Caller, AuthRefusal> {
        .failure(.key("an unknown key"))
    }
}
