import Basics
import COpenSSL
import Crypto
import Glibc

/// One end of a TLS connection, between the bytes of the network and those of the application: no socket, no waiting.
///
/// Bytes from the network go into `receive`, bytes of the application into `seal`; what must go to the network gathers in
/// `outgoing`. OpenSSL reads and writes through a BIO of ours, so that nothing is held in between.
// Touched by one thread at a time, as its socket is.
final class TLSSession {
    enum Phase: Equatable {
        case handshaking
        case open
        /// The other side has said that nothing more comes.
        case ended
        case failed(TransportError)
    }

    let handle: OpaquePointer
    private let isServer: Bool
    let trust: TLSTrust
    let host: String
    /// The clock by which certificates are judged.
    let now: DateTime
    /// What the server presented.
    var peerChain: [Certificate] = []
    var problem: CertificateProblem?

    private(set) var phase = Phase.handshaking
    /// What must go to the network.
    private(set) var outgoing: [UInt8] = []
    /// What came from the network and was not read by OpenSSL yet; valid during `receive` only.
    private var incoming = UnsafeRawBufferPointer(start: nil, count: 0)

    /// A server's end; nil where OpenSSL has no memory.
    convenience init?(server context: SecureContext) {
        self.init(context, isServer: true, trust: .anyone, host: "", now: DateTime(milliseconds: 0))
        SSL_set_accept_state(handle)
    }

    /// A client's end: who the server must be, and by which clock; nil where the host cannot be checked.
    convenience init?(client context: SecureContext, trust: TLSTrust, host: String, now: DateTime?) {
        let clock = now ?? DateTime(milliseconds: Int64(time(nil)) * 1000)
        self.init(context, isServer: false, trust: trust, host: host, now: clock)
        SSL_set_connect_state(handle)
        let parameters = SSL_get0_param(handle)
        X509_VERIFY_PARAM_set_time(parameters, Int(clock.milliseconds / 1000))
        let isSet: Bool
        if HostName.isAddress(host) {
            isSet = X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1
        } else {
            X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            isSet =
                X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) == 1
                && cossl_set_server_name(handle, host) == 1
        }
        if !isSet { return nil }
    }

    private init?(_ context: SecureContext, isServer: Bool, trust: TLSTrust, host: String, now: DateTime) {
        guard let handle = SSL_new(context.handle) else { return nil }
        guard let bio = BIO_new(sessionBIO) else {
            SSL_free(handle)
            return nil
        }
        self.handle = handle
        self.isServer = isServer
        self.trust = trust
        self.host = host
        self.now = now
        // The session owns the BIO, and neither is used after this object.
        let me = Unmanaged.passUnretained(self).toOpaque()
        BIO_set_data(bio, me)
        BIO_set_init(bio, 1)
        SSL_set_ex_data(handle, 0, me)
        SSL_set_bio(handle, bio, bio)
    }

    deinit {
        SSL_free(handle)
    }

    /// The session behind OpenSSL's handle.
    static func owner(of handle: OpaquePointer) -> TLSSession? {
        SSL_get_ex_data(handle, 0).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
    }

    var isOpen: Bool { phase == .open }
    /// The version and the cipher that were agreed on, for a log.
    var agreement: String {
        "\(String(cString: SSL_get_version(handle))) \(String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(handle))))"
    }

    /// What must go to the network, taken away.
    func takeOutgoing() -> [UInt8] {
        defer { outgoing = [] }
        return outgoing
    }

    // MARK: In

    /// A client begins with this; a server waits.
    func start() {
        shakeHands()
    }

    /// Takes bytes from the network, and gives what they mean in pieces that lie in `room` until the call returns.
    ///
    /// `opened` is called once, when both sides agree. What it and `deliver` do may end the connection: they say whether
    /// to go on.
    func receive(
        _ bytes: UnsafeRawBufferPointer, room: UnsafeMutableRawBufferPointer, opened: () -> Bool,
        deliver: (UnsafeRawBufferPointer) -> Bool
    ) {
        incoming = bytes
        defer { incoming = UnsafeRawBufferPointer(start: nil, count: 0) }
        if phase == .handshaking {
            shakeHands()
            if phase == .open, !opened() { return }
        }
        guard let start = room.baseAddress else { return }
        while phase == .open {
            var filled = 0
            while filled < room.count, phase == .open {
                ERR_clear_error()
                let count = SSL_read(handle, start + filled, CInt(room.count - filled))
                if count > 0 {
                    filled += Int(count)
                } else if !note(count) {
                    break
                }
            }
            if filled == 0 { return }
            guard deliver(UnsafeRawBufferPointer(start: start, count: filled)) else { return }
            if incoming.isEmpty && SSL_pending(handle) == 0 { return }
        }
    }

    private func shakeHands() {
        ERR_clear_error()
        let result = SSL_do_handshake(handle)
        if result == 1 { phase = .open } else { _ = note(result) }
    }

    /// Notes why a call did nothing; true where another try would do more, which is never.
    private func note(_ result: CInt) -> Bool {
        switch SSL_get_error(handle, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return false
        case SSL_ERROR_ZERO_RETURN:
            phase = .ended
            return false
        default:
            fail()
            return false
        }
    }

    private func fail() {
        let code = ERR_peek_error()
        let reason = cossl_reason(code)
        let text = ERR_reason_error_string(code).map { String(cString: $0) } ?? "the handshake was cut off"
        ERR_clear_error()
        if let problem {
            phase = .failed(.untrusted(problem))
        } else if isServer, reason == SSL_R_HTTP_REQUEST {
            // A browser or a script that was given http: it can read this.
            outgoing = Array(
                ("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
                    + "Content-Length: 42\r\n\r\nThis port speaks TLS: use https:// or wss\n").utf8)
            phase = .failed(.secureChannelFailed("plain HTTP came"))
        } else if !isServer, reason == SSL_R_WRONG_VERSION_NUMBER {
            phase = .failed(.secureChannelFailed("it does not speak TLS; its URL may begin with http://"))
        } else {
            phase = .failed(.secureChannelFailed(text))
        }
    }

    // MARK: Out

    /// Seals bytes of the application for the network; false where the connection is of no use any more.
    func seal(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard phase == .open else { return false }
        var offset = 0
        while offset < bytes.count {
            ERR_clear_error()
            let count = SSL_write(handle, bytes.baseAddress.map { $0 + offset }, CInt(bytes.count - offset))
            guard count > 0 else {
                fail()
                return false
            }
            offset += Int(count)
        }
        return true
    }

    /// Says that nothing more is sent.
    func close() {
        guard phase == .open || phase == .ended else { return }
        ERR_clear_error()
        SSL_shutdown(handle)
        ERR_clear_error()
    }

    // MARK: From OpenSSL

    fileprivate func read(_ target: UnsafeMutablePointer<CChar>, _ room: Int) -> Int {
        let count = min(room, incoming.count)
        guard count > 0, let source = incoming.baseAddress else { return 0 }
        UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count)
        incoming = UnsafeRawBufferPointer(rebasing: incoming.dropFirst(count))
        return count
    }

    fileprivate func write(_ bytes: UnsafeRawBufferPointer) {
        outgoing.append(contentsOf: bytes)
    }
}

private func session(_ bio: OpaquePointer?) -> TLSSession? {
    BIO_get_data(bio).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
}

/// The table of functions through which OpenSSL reads and writes, made once for the process.
// Guard of nonisolated(unsafe): written once here, then only read.
nonisolated(unsafe) private let sessionBIO: OpaquePointer? = {
    let table = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "link")
    BIO_meth_set_read(table) { bio, target, room in
        guard let target, let session = session(bio) else { return -1 }
        let count = session.read(target, Int(room))
        if count > 0 {
            cossl_no_retry(bio)
            return CInt(count)
        }
        cossl_retry_read(bio)
        return -1
    }
    BIO_meth_set_write(table) { bio, bytes, count in
        guard let session = session(bio) else { return -1 }
        cossl_no_retry(bio)
        session.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
        return count
    }
    // Nothing is held back, so that flushing always succeeds; there is nothing else to control.
    BIO_meth_set_ctrl(table) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return table
}()
