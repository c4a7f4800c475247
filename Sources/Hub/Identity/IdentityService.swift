import Basics
import Crypto
import SQLite
import System

/// How a hub lets its own people in, and whom it believes beside them.
public struct IdentityOptions: Sendable {
    /// How long people stay signed in.
    public var lifetimes = TokenLifetimes()
    /// Issuers whose tokens are taken.
    public var issuers: [IssuerOptions] = []
    var limits = SignInGate.Limits()
    /// Checks a PIN; replaced where a test holds the thread.
    var verify: @Sendable (PINVerifier, _ pin: String) -> Bool = { $0.accepts($1) }

    /// The usual: keys and the hub's own people.
    public init() {}
}

/// The hub's keys and people while it runs: everything in memory, kept up with the tables.
///
/// Its two threads have nothing to do with commits: one reads and writes the tables of keys and people over a
/// connection of its own, one does nothing but scrypt, with a bounded queue.
// Guard of @unchecked Sendable: `store` is touched only on `executor`'s thread; everything else is behind locks.
final class IdentityService: StoredKeys, @unchecked Sendable {
    private let executor = ThreadExecutor(name: "hub-identity")
    let signInExecutor = ThreadExecutor(name: "hub-sign-in")
    private let state = Locked(AccessSnapshot())
    private let uses = Locked<[String: Int64]>([:])
    private let lastFlush = Locked<Int64>(0)
    private let changed = Locked<(@Sendable () -> Void)?>(nil)
    private var store: AccessStore?

    let gate = Locked(SignInGate())
    /// Of sign-ins that come to nothing: anybody may try.
    let refusalLines: Locked<LogAllowance>
    let tokens: PeopleTokens
    let options: IdentityOptions
    let time: any TimeSource
    let random: any RandomSource
    let log: Log

    init(_ options: IdentityOptions, time: any TimeSource, random: any RandomSource, log: Log) {
        self.options = options
        self.time = time
        self.random = random
        self.log = log
        tokens = PeopleTokens(lifetimes: options.lifetimes)
        refusalLines = Locked(LogAllowance(at: time.uptime()))
    }

    /// Opens the tables in a hub's database, which is there already; `onChange` is called on the service's thread.
    func open(path: String, onChange: @escaping @Sendable () -> Void) throws {
        changed.withLock { $0 = onChange }
        try executor.runBlocking { [self] in
            let store = try AccessStore(try Connection.open(path: path), time)
            let snapshot = try store.snapshot()
            let records = try store.signInRecords(atMost: options.limits.memory)
            self.store = store
            state.withLock { $0 = snapshot }
            let unlocks = snapshot.people.values.map { ($0.badge, $0.unlocks) }
            gate.withLock { gate in
                gate = SignInGate(
                    options.limits, records: records,
                    unlocks: Dictionary(unlocks, uniquingKeysWith: { first, _ in first }))
            }
        }
        onChange()
    }

    /// Who may come in, now.
    var snapshot: AccessSnapshot { state.current }

    /// Whether anybody could.
    var isEmpty: Bool {
        let now = time.now().milliseconds
        return state.withLock { $0.people.isEmpty && !$0.keys.values.contains { $0.isValid(now: now) } }
            && options.issuers.isEmpty
    }

    /// Looks whether a command has changed the tables; twice a second is soon enough.
    func poll() {
        executor.async { [self] in
            guard let store else { return }
            do {
                if try store.generation() != state.withLock({ $0.generation }) { try reload(store) }
                try flushUses(store)
            } catch {
                log(.warning, "the tables of keys and people cannot be read: \(error)")
            }
        }
    }

    /// Waits until everything that was asked for has been done.
    func settle() throws { try executor.runBlocking {} }

    /// Makes the key of a terminal that has enrolled; it is good when `completion` is called, on the service's thread.
    func makeKey(
        forDevice device: String, groups: Set<String> = ["counters"], name: String = "", lifetime: Int64? = nil,
        _ completion: @escaping @Sendable (Result<(key: String, stored: StoredKey), any Error>) -> Void
    ) {
        executor.async { [self] in
            completion(
                Result {
                    guard let store else { throw HubError("the hub is stopping") }
                    let made = try store.addKey(forDevice: device, groups: groups, name: name, lifetime: lifetime)
                    try reload(store)
                    log(.notice, "the device \(printable(device)) has the key \(made.stored.id)")
                    return made
                })
        }
    }

    /// Reads or writes the tables on the service's thread, later.
    func perform(_ what: String, _ body: @escaping @Sendable (AccessStore) throws -> Void) {
        executor.async { [self] in
            guard let store else { return }
            do { try body(store) } catch { log(.warning, "\(what): \(error)") }
        }
    }

    /// Reads the tables on the service's thread, and waits.
    func read<R: Sendable>(_ body: @escaping @Sendable (AccessStore) throws -> R?) throws -> R? {
        try executor.runBlocking { [self] in try store.flatMap(body) }
    }

    /// Ends both threads after what they were asked for.
    func stop() {
        signInExecutor.stop()
        try? executor.runBlocking { [self] in
            if let store { try? flushUses(store, always: true) }
            store = nil
        }
        executor.stop()
        changed.withLock { $0 = nil }
    }

    private func reload(_ store: AccessStore) throws {
        let snapshot = try store.snapshot()
        state.withLock { $0 = snapshot }
        changed.current?()
    }

    private func flushUses(_ store: AccessStore, always: Bool = false) throws {
        let uptime = time.uptime()
        guard always || uptime - lastFlush.current >= 60_000 else { return }
        lastFlush.withLock { $0 = uptime }
        let noted = uses.withLock { uses in
            defer { uses = [:] }
            return uses
        }
        try store.noteUse(noted)
        if !always { try store.pruneSignIns() }
    }

    // MARK: Keys

    func caller(key: String, _ credentials: Credentials, now: Int64) -> Result<Caller, AuthRefusal> {
        let digest = SHA256.digest(key)
        guard let stored = state.withLock({ $0.key(digest: Hex.encode(digest)) }) else {
            return .failure(.key("an unknown key"))
        }
        return caller(
            stored, person: APIKeys.claim(credentials.person), device: APIKeys.claim(credentials.device),
            fingerprint: Hex.encode(digest.prefix(8)), now)
    }

    func refreshed(_ caller: Caller, id: String, now: Int64) -> Result<Caller, AuthRefusal> {
        guard let stored = state.withLock({ $0.keys[id] }) else { return .failure(.key("the key \(id) is gone")) }
        return self.caller(
            stored, person: caller.person, device: caller.device, fingerprint: caller.fingerprint, now)
    }

    /// The digests of the good keys that a terminal has.
    func digests(ofDevice device: String) -> [String] {
        let now = time.now().milliseconds
        return state.withLock { state in
            guard state.enrolledDevices.contains(device) else { return [] }
            return state.keys.values.filter { $0.device == device && $0.isValid(now: now) }.map(\.digest)
        }
    }

    func isEnrolled(device: String) -> Bool { state.withLock { $0.enrolledDevices.contains(device) } }

    private func caller(
        _ key: StoredKey, person: String?, device: String?, fingerprint: String, _ now: Int64
    ) -> Result<Caller, AuthRefusal> {
        guard key.revoked == nil else { return .failure(.key("the key \(key.id) was withdrawn")) }
        guard key.isValid(now: now) else { return .failure(.key("the key \(key.id) has expired")) }
        uses.withLock { $0[key.id] = now / 60_000 * 60_000 }
        var caller = Caller(
            groups: key.groups, person: person, device: key.device ?? device, expires: key.expires,
            source: .storedKey(key.id), fingerprint: fingerprint)
        caller.isDeviceProven = key.device != nil
        return .success(caller)
    }
}
