import Basics
import Crypto
import System
import Transport

/// Where a hub's certificate comes from.
public enum CertificateSource: Sendable, Hashable {
    /// From the data directory, if `bincount hub init` has set it up; else there is no TLS.
    case site
    /// From files that somebody else renews.
    case files(certificate: String, key: String)
    /// There is none: plain HTTP, on this machine only.
    case none
}

/// The certificate of a running hub: noticed when its files change, and renewed in time where the site has its own
/// authority. Open connections stay as they are.
final class HubTLS: Sendable {
    /// What the server uses.
    let server: TLSServerContext
    /// What the hub's own clients use, such as the desk inside: this very certificate, whatever names it has.
    let own: TLSClientContext

    private struct Seen: Sendable, Equatable {
        var certificate: Int64?
        var key: Int64?
    }

    /// What is to be done.
    struct Work: Sendable {
        /// Whether the certificate is to be renewed, beside reading it.
        let isDue: Bool
    }

    private struct State: Sendable {
        var seen: Seen
        var isBusy = false
        /// Uptime from which renewing may be tried, and what was not taken over is read again.
        var renewsFrom: Int64 = 0
        var readsAgainAt: Int64?
        /// Uptime of the last look at what a person must do.
        var warnedAt: Int64
        /// What was last said to be wrong with changed files.
        var problem: String?
    }

    /// Between two tries to renew, and two warnings of an end that is near.
    private static let renewalPause: Int64 = 3_600_000
    private static let warningPause: Int64 = 86_400_000
    /// Files may become readable without their times changing.
    private static let readingPause: Int64 = 60_000

    private let source: CertificateSource
    private let site: SiteCertificates
    private let time: any TimeSource
    private let log: Log
    private let state: Locked<State>

    /// Loads the certificate; nil where there shall be no TLS.
    ///
    /// - Throws: ``HubError`` where the files are of no use.
    init?(_ source: CertificateSource, dataDirectory: String, time: any TimeSource, log: Log) throws {
        site = SiteCertificates(dataDirectory: dataDirectory)
        switch source {
        case .none: return nil
        case .site where !site.isSetUp: return nil
        case .site, .files: self.source = source
        }
        self.time = time
        self.log = log
        let seen = Self.seen(source, site)
        let loaded = try Self.load(source, site)
        do {
            server = try TLSServerContext(chain: loaded.chain, key: loaded.key)
        } catch {
            throw HubError("\(Self.name(source, site)): \(error)")
        }
        own = try TLSClientContext(trust: .exactly(loaded.chain[0]), time: time)
        state = Locked(State(seen: seen, warnedAt: time.uptime()))
        warn(loaded.chain)
        warnOfKey()
    }

    /// The certificate that new connections get.
    var certificate: Certificate { server.chain[0] }

    /// The certificate that terminals pin, the last of the chain: the site's authority, or what a foreign file ends with.
    var anchor: Certificate { server.chain[server.chain.count - 1] }

    /// The part of `/metrics` that tells how long the certificate is good.
    var metrics: String {
        let seconds = (certificate.validUntil.milliseconds - time.now().milliseconds) / 1000
        let name = "bincount_hub_certificate_expires_seconds"
        return "# HELP \(name) Until the certificate ends; less than nothing afterwards.\n# TYPE \(name) gauge\n"
            + "\(name) \(seconds)\n"
    }

    /// Looks whether the files have changed and whether it is time to renew; to be called every few seconds.
    ///
    /// The work is done on a thread made for it: it reads and writes files, and is rare.
    func poll() {
        guard let work = takeWork() else { return }
        startThread(named: "hub-tls") { [self] in update(isDue: work.isDue, now: time.now()) }
    }

    /// What is to be done now, for ``update(isDue:now:)``; nil for nothing.
    func takeWork() -> Work? {
        let uptime = time.uptime()
        let isDue = source == .site && site.isDue(certificate, now: time.now())
        let seen = Self.seen(source, site)
        var mustWarn = false
        let work: Work? = state.withLock { state in
            mustWarn = uptime - state.warnedAt >= Self.warningPause
            if mustWarn { state.warnedAt = uptime }
            let mustRenew = isDue && uptime >= state.renewsFrom
            let mustRead = state.seen != seen || state.readsAgainAt.map { uptime >= $0 } ?? false
            guard !state.isBusy, mustRenew || mustRead else { return nil }
            state.isBusy = true
            // Whatever comes of it: not again at once.
            if mustRenew { state.renewsFrom = uptime + Self.renewalPause }
            return Work(isDue: mustRenew)
        }
        if mustWarn { warn(server.chain) }
        return work
    }

    /// Renews where that is due, and takes over what the files hold.
    func update(isDue: Bool, now: DateTime) {
        defer { state.withLock { $0.isBusy = false } }
        if isDue {
            do {
                let made = try site.renew(now: now)
                log(.notice, "the hub's certificate was renewed; it is valid until \(made.validUntil.iso8601)")
            } catch {
                log(.error, "the hub's certificate cannot be renewed, which is tried again in an hour: \(error)")
                let seen = Self.seen(source, site)
                if state.withLock({ $0.seen == seen && $0.readsAgainAt == nil }) { return }
            }
        }
        // Looked at before reading: what changes while it is read is read again.
        let seen = Self.seen(source, site)
        var problem: String?
        do {
            let loaded = try Self.load(source, site)
            try server.replace(chain: loaded.chain, key: loaded.key)
            try own.replace(trust: .exactly(loaded.chain[0]))
            log(
                .notice,
                "new connections get the certificate that is valid until \(loaded.chain[0].validUntil.iso8601)")
            warn(loaded.chain)
        } catch {
            problem = "the changed certificate is not used, the one before stays: \(error)"
        }
        let news = state.withLock { state in
            defer { state.problem = problem }
            state.seen = seen
            state.readsAgainAt = problem.map { _ in time.uptime() + Self.readingPause }
            return problem == state.problem ? nil : problem
        }
        if let news { log(.error, news) }
    }

    /// Says what a person must see to, in time.
    private func warn(_ chain: [Certificate]) {
        let certificate = chain[0]
        let now = time.now()
        if certificate.validUntil < now {
            log(.error, "the hub's certificate expired on \(certificate.validUntil.iso8601): clients refuse it")
        } else if certificate.validUntil < now.advanced(by: 14 * 86_400_000) {
            log(.warning, "the hub's certificate expires on \(certificate.validUntil.iso8601)")
        } else if certificate.validFrom > now {
            log(
                .error,
                "the hub's certificate begins on \(certificate.validFrom.iso8601), so clients refuse it: is a clock wrong?"
            )
        }
        // Of the site's own, the last is its authority.
        if source != .site, let last = chain.last, !last.isAuthority {
            log(
                .warning,
                "\(Self.name(source, site)) holds no certificate of an authority: terminals that enrol believe this very "
                    + "certificate and will refuse the next one; put the authority's behind it")
        }
    }

    /// A key that others can read is no secret; the site's own is made so that nobody can.
    private func warnOfKey() {
        guard case .files(_, let key) = source, let rights = Files.rights(key), rights & 0o004 != 0 else { return }
        log(.warning, "everybody on this machine can read \(key), and so pass for the hub; mend it: chmod o-rwx \(key)")
    }

    private static func seen(_ source: CertificateSource, _ site: SiteCertificates) -> Seen {
        switch source {
        case .files(let certificate, let key):
            Seen(certificate: Files.modified(certificate), key: Files.modified(key))
        case .site, .none: Seen(certificate: Files.modified(site.serverFile), key: nil)
        }
    }

    private static func name(_ source: CertificateSource, _ site: SiteCertificates) -> String {
        if case .files(let certificate, _) = source { certificate } else { site.serverFile }
    }

    static func load(
        _ source: CertificateSource, _ site: SiteCertificates
    ) throws -> (chain: [Certificate], key: PrivateKey) {
        do {
            guard case .files(let certificate, let key) = source else { return try site.server() }
            return (
                try Certificate.read(pem: try Files.read(certificate)), try PrivateKey(pem: try Files.read(key))
            )
        } catch {
            throw HubError("\(name(source, site)): \(error)")
        }
    }
}
