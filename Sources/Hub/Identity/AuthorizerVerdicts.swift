/// What an authorizer function said of tokens, by the digests of their texts: a value, told the uptime.
///
/// Strangers can have any number of texts refused; what is remembered of that has a place of its own, so that it drives
/// out no token that is good.
struct AuthorizerVerdicts: Sendable {
    private struct Good: Sendable {
        let caller: Caller
        let until: Int64
    }

    private struct Refused: Sendable {
        let refusal: AuthRefusal
        let until: Int64
    }

    /// Of each kind so many are remembered.
    static let limit = 4096

    /// Tokens that were good when they were last judged, also where they are to be judged anew.
    private var good: [[UInt8]: Good] = [:]
    /// Their digests by their fingerprints, which are what a caller is known by.
    private var digests: [String: [UInt8]] = [:]
    /// Callers whose tokens were good and had to make room: what is open may live by one still.
    private var crowdedOut: [[UInt8]: Caller] = [:]
    /// Tokens that were refused, or could not be judged.
    private var refused: [[UInt8]: Refused] = [:]
    /// Tokens that were good until they were refused, by their fingerprints.
    private var withdrawn: [String: Refused] = [:]

    /// What holds of a token; nil where it is to be judged.
    func find(_ digest: [UInt8], at now: Int64) -> TokenVerdict? {
        if let good = good[digest], good.until > now { return .temporary(good.caller) }
        if let refused = refused[digest], refused.until > now { return .refused(refused.refusal) }
        return nil
    }

    /// Whose token it was when it was last judged, be that over or not; nil where it was not good.
    func latest(_ digest: [UInt8]) -> Caller? { good[digest]?.caller }

    /// Why a caller who was let in would not be any more; nil where nobody has said so.
    func withdrawn(_ caller: Caller) -> AuthRefusal? { withdrawn[caller.fingerprint]?.refusal }

    /// A caller as his token was judged last, be that over or not; nil where it is not known any more.
    func newest(_ caller: Caller) -> Caller? { digests[caller.fingerprint].flatMap(latest) }

    /// Remembers what was said of a token. That it could not be judged takes nothing from one that was good.
    ///
    /// - Returns: whether what is open under the token must be looked at again: it was good, and is refused or stands for
    ///   another caller now.
    mutating func keep(_ result: Result<Caller, AuthRefusal>, of digest: [UInt8], until: Int64, at now: Int64) -> Bool {
        switch result {
        case .success(let caller):
            let former = good[digest]?.caller ?? crowdedOut.removeValue(forKey: digest)
            refused[digest] = nil
            withdrawn[caller.fingerprint] = nil
            if good.count >= Self.limit {
                let before = good
                Self.makeRoom(in: &good, at: now) { $0.until }
                if crowdedOut.count >= 4 * Self.limit { crowdedOut.removeAll() }
                for (digest, entry) in before where good[digest] == nil {
                    crowdedOut[digest] = entry.caller
                    digests[entry.caller.fingerprint] = nil
                }
                crowdedOut[digest] = nil
            }
            good[digest] = Good(caller: caller, until: until)
            digests[caller.fingerprint] = digest
            return former.map { $0 != caller } ?? false
        case .failure(let refusal):
            let entry = Refused(refusal: refusal, until: until)
            var isWithdrawn = false
            if refusal.reason != .unavailable,
                let before = good.removeValue(forKey: digest)?.caller ?? crowdedOut.removeValue(forKey: digest)
            {
                Self.makeRoom(in: &withdrawn, at: now) { $0.until }
                withdrawn[before.fingerprint] = entry
                digests[before.fingerprint] = nil
                isWithdrawn = true
            }
            Self.makeRoom(in: &refused, at: now) { $0.until }
            refused[digest] = entry
            return isWithdrawn
        }
    }

    /// Forgets what holds no more where there is no room, and where that is not enough the half that ends first.
    private static func makeRoom<Key, Entry>(in entries: inout [Key: Entry], at now: Int64, until: (Entry) -> Int64) {
        guard entries.count >= limit else { return }
        entries = entries.filter { until($0.value) > now }
        guard entries.count >= limit else { return }
        let latest = entries.sorted { until($0.value) > until($1.value) }.prefix(limit / 2)
        entries = Dictionary(uniqueKeysWithValues: latest.map { ($0.key, $0.value) })
    }
}
