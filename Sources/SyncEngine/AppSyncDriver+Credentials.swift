import AppSync
import Basics
import Models
import Transport

/// The credentials of a driver, which may change while it runs.
struct DriverCredentials: Sendable {
    var standard: SyncCredentials
    /// Those of further providers, for ``AuthModeStrategy/multiAuth``.
    var others: [AuthProvider: SyncCredentials] = [:]

    /// Which of them the connection is tried with; it moves on where one is refused.
    var connectionIndex = 0

    /// What the realtime connection itself is made with.
    var forConnection: SyncCredentials {
        let all = [standard] + others.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value)
        return all[connectionIndex % all.count]
    }

    /// What is shown for a provider; the standard ones where there are no others.
    func of(_ provider: AuthProvider?) -> SyncCredentials { provider.flatMap { others[$0] } ?? standard }

    /// The providers that there are credentials for.
    var providers: Set<AuthProvider> { Set(others.keys).union([standard.provider]) }

    /// Why nothing may be fetched for who is signed in; nil where it may.
    ///
    /// The standard ones must be his or nobody's. Of several providers some may know him under another name: where any
    /// of them names somebody, one has to name him, or they are those of who was signed in before.
    func hindrance(to person: String?, _ strategy: AuthModeStrategy, claim: String?) -> String? {
        guard let person else { return nil }
        let shown = strategy == .multiAuth ? [standard] + others.values : [standard]
        let names = shown.reduce(into: Set<String>()) { $0.formUnion($1.names(claim: claim)) }
        if standard.maySend(as: person, claim: claim), names.isEmpty || names.contains(person) { return nil }
        let list = names.sorted().map { "'\($0)'" }.joined(separator: ", ")
        return "\(SyncSession.othersCredentials): they name \(list) and not '\(person)'; "
            + "give that person's, or name the claim that holds this name (personClaim)"
    }
}

extension SyncOptions {
    /// Goes by what a driver has to show, now and whenever it is asked.
    mutating func use(_ credentials: Locked<DriverCredentials>) {
        let (strategy, claim) = (authModeStrategy, personClaim)
        availableProviders = { credentials.current.providers }
        connectionRefused = { credentials.withLock { $0.connectionIndex += 1 } }
        maySend = { credentials.current.standard.maySend(as: $0, claim: claim) }
        hindrance = { credentials.current.hindrance(to: $0, strategy, claim: claim) }
    }
}

extension AppSyncDriver {
    /// Uses other credentials from now on: a renewed key, a new token. What was paused for the old ones' sake goes on,
    /// and what waits in the outbox stays as it was meanwhile.
    public func setCredentials(_ new: SyncCredentials) {
        credentials.withLock { credentials in
            credentials.standard = new
            credentials.connectionIndex = 0
        }
        tellOfCredentials()
        note(signInEnds: nil)
        beginRenewal(new)
    }

    /// Names the credentials of a provider, for ``AuthModeStrategy/multiAuth``; nil takes them away.
    public func setCredentials(_ new: SyncCredentials?, for provider: AuthProvider) {
        credentials.withLock { $0.others[provider] = new }
        tellOfCredentials()
    }

    /// Uses another key from now on, such as a renewed one: what was paused for the old one's sake goes on.
    public func setKey(_ key: String) { setCredentials(.apiKey(key)) }

    // MARK: Renewal

    /// Renews a token before it ends, at the hub that gave it.
    func beginRenewal(_ credentials: SyncCredentials) {
        guard case .token = credentials, renewsTokens else { return }
        step(.token(made: credentials.made, expires: credentials.expires))
    }

    func endRenewal() {
        renewalTimer.withLock { timer in
            timer?.cancel()
            timer = nil
        }
    }

    /// Takes what the backend's clock showed in an answer, nil for nothing: a token's times are by that clock.
    func heard(backendTime: Int64?) {
        guard renewsTokens, let backendTime else { return }
        let uptime = renewalTime.uptime()
        if renewal.withLock({ $0.heard(backendTime, uptime: uptime) }) { step(.time) }
    }

    private func step(_ event: TokenRenewal.Event) {
        let (wall, uptime) = (renewalTime.now().milliseconds, renewalTime.uptime())
        for action in renewal.withLock({ $0.handle(event, now: $0.time(wall: wall, uptime: uptime)) }) {
            switch action {
            case .setDeadline(let wait): setRenewalTimer(wait)
            case .renew: renew()
            case .endsAt(let end):
                // Until then all goes on; afterwards the store says that it is paused.
                let end = DateTime(milliseconds: end)
                note(signInEnds: end)
                warn("the hub renews the token no more: sign in before \(end.iso8601)")
            }
        }
    }

    private func setRenewalTimer(_ wait: Int64?) {
        endRenewal()
        guard let wait else { return }
        after(wait) { [weak self] in
            self?.step(.deadline)
        } keep: { [weak self] timer in
            self?.renewalTimer.withLock { old in
                old?.cancel()
                old = timer
            }
        }
    }

    private func renew() {
        let current = credentials.current.standard
        guard case .token(let token) = current else { return }
        let request = HTTPRequest(path: renewalPath, headers: [HeaderName.authorization: token])
        client.send(request, timeoutMilliseconds: 30_000) { [weak self] result in
            guard let self, self.credentials.current.standard == current else { return }
            guard case .success(let response) = result else { return self.step(.failed) }
            switch response.status {
            case 200:
                guard let text = (try? JSONValue(parsing: response.body))?["token"]?.string else {
                    return self.step(.refused)
                }
                self.step(.renewed)
                self.tokenRenewed.current?(text)
                // The connection that is open holds until the old token ends; it is made anew then by itself.
                self.credentials.withLock { $0.standard = .token(text) }
                self.tellOfRenewal()
                self.beginRenewal(.token(text))
            case 400..<500 where response.status != 429: self.step(.refused)
            default: self.step(.failed)
            }
        }
    }

    /// `/login/refresh` beside the hub's `/graphql`.
    private var renewalPath: String {
        let path = address.path
        let base = path.hasSuffix("/graphql") ? String(path.dropLast("/graphql".count)) : ""
        return base + "/login/refresh"
    }
}
