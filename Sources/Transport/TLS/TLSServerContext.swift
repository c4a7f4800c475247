import Basics
import COpenSSL
import Crypto

/// A server's certificate and key. They can be exchanged while the server runs: new connections are given the new ones,
/// open connections go on.
public final class TLSServerContext: Sendable {
    private struct Current: Sendable {
        var context: SecureContext
        var chain: [Certificate]
    }

    private let current: Locked<Current>

    /// Takes a server's certificate, with those that signed it behind, and its key.
    ///
    /// - Throws: `CertificateError` where they do not belong together, or TLS cannot use them.
    public init(chain: [Certificate], key: PrivateKey) throws {
        current = Locked(Current(context: try Self.context(chain, key), chain: chain))
    }

    /// What new connections are given.
    public var chain: [Certificate] { current.withLock { $0.chain } }

    /// Gives new connections another certificate from now on; where it throws, all stays as it was.
    ///
    /// - Throws: `CertificateError` where they do not belong together, or TLS cannot use them.
    public func replace(chain: [Certificate], key: PrivateKey) throws {
        let context = try Self.context(chain, key)
        current.withLock { $0 = Current(context: context, chain: chain) }
    }

    /// The session of a connection that was accepted.
    func session() -> TLSSession? {
        TLSSession(server: current.withLock { $0.context })
    }

    private static func context(_ chain: [Certificate], _ key: PrivateKey) throws -> SecureContext {
        guard let own = chain.first else { throw CertificateError("there is no certificate") }
        guard key.belongs(to: own) else {
            throw CertificateError("the certificate of \(own.commonName) and the key do not belong together")
        }
        let context = try SecureContext(isServer: true)
        let handle = context.handle
        var isTaken = try own.withHandle { SSL_CTX_use_certificate(handle, $0) == 1 }
        isTaken = try key.withHandle { SSL_CTX_use_PrivateKey(handle, $0) == 1 } && isTaken
        for certificate in chain.dropFirst() {
            isTaken = try certificate.withHandle { cossl_add_chain(handle, $0) == 1 } && isTaken
        }
        ERR_clear_error()
        guard isTaken else { throw CertificateError("TLS cannot use the certificate of \(own.commonName)") }
        SSL_CTX_set_alpn_select_cb(handle, chooseProtocol, nil)
        // One ticket suffices: clients that resume at all take the last.
        SSL_CTX_set_num_tickets(handle, 1)
        return context
    }
}
