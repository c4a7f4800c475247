import COpenSSL
import Crypto

/// OpenSSL's settings for any number of connections.
// Guard of @unchecked Sendable: the handle is set up before it is shared; from then on OpenSSL only reads it, under its
// own locks, and counts who holds it.
final class SecureContext: @unchecked Sendable {
    let handle: OpaquePointer

    init(isServer: Bool) throws(TransportError) {
        guard let handle = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw .secureChannelFailed("OpenSSL cannot be started")
        }
        self.handle = handle
        guard cossl_prepare(handle) == 1 else {
            throw .secureChannelFailed("this OpenSSL lacks the ciphers of TLS 1.2 and 1.3")
        }
    }

    deinit { SSL_CTX_free(handle) }

    /// HTTP/1.1 is the only protocol that is spoken here.
    static let protocols: [UInt8] = [8] + Array("http/1.1".utf8)
}

/// Chooses HTTP/1.1 among what a client offers, or ends the handshake.
func chooseProtocol(
    _ session: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32,
    _ user: UnsafeMutableRawPointer?
) -> Int32 {
    var place = 0
    while let offered, place < Int(offeredCount) {
        let count = Int(offered[place])
        if place + 1 + count > Int(offeredCount) { break }
        let name = UnsafeBufferPointer(start: offered + place + 1, count: count)
        if name.elementsEqual(SecureContext.protocols.dropFirst()) {
            chosen?.pointee = offered + place + 1
            chosenCount?.pointee = UInt8(count)
            return SSL_TLSEXT_ERR_OK
        }
        place += 1 + count
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
