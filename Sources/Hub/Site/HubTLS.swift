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

    private struct State: Sendable {
        var seen: Seen
        var isBusy = false
    }

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
        state = Locked(State(seen: seen))
        warn(loaded.chain[0])
    }

    /// The certificate that new connections get.
    var certificate: Certificate { server.chain[0] }

    /// The certificate that terminals pin, the last of the chain: the site's authority, or what a foreign file ends with.
    var anchor: Certificate { server.chain[server.chain.count - 1] }

    /// Looks whether the files have changed and whether it is time to renew; to be called every few seconds.
    ///
    /// The work is done on a thread made for it: it reads and writes files, and is rare.
    func poll() {
        let now = time.now()
        let isDue = source == .site && site.isDue(certificate, now: now)
        let seen = Self.seen(source, site)
        let mustWork = state.withLock { state in
            guard !state.isBusy, isDue || state.seen != seen else { return false }
            state.isBusy = true
            return true
        }
        guard mustWork else { return }
        startThread(named: "hub-tls") { [self] in
            update(isDue: isDue, now: now)
            state.withLock { $0.isBusy = false }
        }
    }

    func update(isDue: Bool, now: DateTime) {
        if isDue {
            do {
                let made = try site.renew(now: now)
                log(.notice, "the hub's certificate was renewed; it is valid until \(made.validUntil.iso8601)")
            } catch {
                log(.error, "the hub's certificate cannot be renewed: \(error)")
            }
        }
        // Looked at before reading: what changes while it is read is read again.
        let seen = Self.seen(source, site)
        do {
            let loaded = try Self.load(source, site)
            try server.replace(chain: loaded.chain, key: loaded.key)
            try own.replace(trust: .exactly(loaded.chain[0]))
            log(
                .notice,
                "new connections get the certificate that is valid until \(loaded.chain[0].validUntil.iso8601)")
            warn(loaded.chain[0])
        } catch {
            log(.error, "the changed certificate is not used, the one before stays: \(error)")
        }
        state.withLock { $0.seen = seen }
    }

    private func warn(_ certificate: Certificate) {
        let now = time.now()
        if certificate.validUntil < now {
            log(.error, "the hub's certificate expired on \(certificate.validUntil.iso8601): clients will refuse it")
        } else if certificate.validUntil < now.advanced(by: 14 * 86_400_000) {
            log(.warning, "the hub's certificate expires on \(certificate.validUntil.iso8601)")
        }
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
