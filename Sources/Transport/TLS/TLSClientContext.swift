import Basics
import COpenSSL
import Crypto

/// Whom a client believes.
public enum TLSTrust: Sendable, Hashable {
    /// The authorities that the system trusts, for servers on the internet.
    case system
    /// This certificate alone: a site's own authority, pinned at enrolment, or a single server's certificate.
    case pinned(Certificate)
    /// This very certificate, whatever names it has and whatever its time: for clients inside the server's own process.
    case exactly(Certificate)
    /// Whoever answers. Nothing that matters may be sent; it serves to learn which certificate a server has.
    case anyone
}

/// How a client secures its connections: whom it believes, and by which clock.
///
/// Certificates are checked at every connection, with the host name that was connected to; nothing is remembered in
/// between. There is no way to go on after a failure, and none to go on without TLS.
public final class TLSClientContext: Sendable {
    private struct Current: Sendable {
        var trust: TLSTrust
        var context: SecureContext
    }

    private let current: Locked<Current>
    private let time: (any TimeSource)?

    /// Trusts by a rule.
    ///
    /// - Parameter time: the clock that certificates are compared with; the system's where none is given
    /// - Throws: ``TransportError/secureChannelFailed(_:)`` where OpenSSL cannot be used.
    public init(trust: TLSTrust, time: (any TimeSource)? = nil) throws(TransportError) {
        self.time = time
        current = Locked(Current(trust: trust, context: try Self.context(trust)))
    }

    /// The authorities of the system, for clients that name no other trust.
    public static func system() throws(TransportError) -> TLSClientContext { try TLSClientContext(trust: .system) }

    /// The context that a caller gave, else the system's.
    static func given(_ context: TLSClientContext?) throws(TransportError) -> TLSClientContext {
        if let context { return context }
        return try system()
    }

    /// Who is believed.
    public var trust: TLSTrust { current.withLock { $0.trust } }

    /// Believes another from the next connection on.
    ///
    /// - Throws: ``TransportError/secureChannelFailed(_:)``; all stays as it was.
    public func replace(trust: TLSTrust) throws(TransportError) {
        let context = try Self.context(trust)
        current.withLock { $0 = Current(trust: trust, context: context) }
    }

    /// The session of a connection to a host.
    func session(host: String) -> TLSSession? {
        let now = current.withLock { $0 }
        return TLSSession(client: now.context, trust: now.trust, host: host, now: time?.now())
    }

    private static func context(_ trust: TLSTrust) throws(TransportError) -> SecureContext {
        let context = try SecureContext(isServer: false)
        let handle = context.handle
        switch trust {
        case .system:
            guard SSL_CTX_set_default_verify_paths(handle) == 1 else {
                throw .secureChannelFailed("the system's list of trusted authorities cannot be read")
            }
        case .pinned(let certificate):
            let isAdded = try? certificate.withHandle { X509_STORE_add_cert(SSL_CTX_get_cert_store(handle), $0) == 1 }
            guard isAdded == true else { throw .secureChannelFailed("the pinned certificate cannot be used") }
            // A single server's certificate can be pinned too, without whoever signed it.
            X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(handle), UInt(X509_V_FLAG_PARTIAL_CHAIN))
        case .exactly, .anyone: break
        }
        ERR_clear_error()
        SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nil)
        SSL_CTX_set_cert_verify_callback(handle, verifyChain, nil)
        SSL_CTX_set_alpn_protos(handle, SecureContext.protocols, UInt32(SecureContext.protocols.count))
        return context
    }
}

/// Checks what a server presents, and keeps what was wrong with it for whoever must tell a person.
private func verifyChain(_ store: OpaquePointer?, _ user: UnsafeMutableRawPointer?) -> Int32 {
    guard let store,
        let handle = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let session = TLSSession.owner(of: OpaquePointer(handle))
    else { return 0 }
    var chain: [Certificate] = []
    let presented = X509_STORE_CTX_get0_untrusted(store)
    for place in 0..<cossl_chain_count(presented) {
        guard let certificate = cossl_chain_at(presented, place), let der = Certificate.der(certificate),
            let read = try? Certificate(der: der)
        else { continue }
        chain.append(read)
    }
    session.peerChain = chain
    switch session.trust {
    case .anyone:
        X509_STORE_CTX_set_error(store, X509_V_OK)
        return 1
    case .exactly(let certificate) where chain.first == certificate:
        X509_STORE_CTX_set_error(store, X509_V_OK)
        return 1
    case .exactly(let certificate):
        session.problem = CertificateProblem(
            .otherAuthority(pinned: certificate.fingerprint, presented: chain.first?.fingerprint), host: session.host,
            now: session.now)
        return 0
    case .system, .pinned: if X509_verify_cert(store) == 1 { return 1 }
    }
    session.problem = CertificateProblem(
        code: X509_STORE_CTX_get_error(store), chain: chain, trust: session.trust, host: session.host,
        now: session.now)
    return 0
}
