import COpenSSL

/// The private key of a certificate, kept as text; it is read anew for each use, which is rare.
public struct PrivateKey: Sendable {
    /// The key in PEM, unencrypted: whoever reads it is the site.
    public let pem: [UInt8]

    /// Makes a key on the curve P-256.
    public static func make() -> PrivateKey {
        guard let key = cossl_new_key() else { fatalError("OpenSSL cannot make a key") }
        defer { EVP_PKEY_free(key) }
        guard
            let pem = memoryBytes({ PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) == 1 })
        else { fatalError("OpenSSL cannot write a key") }
        return PrivateKey(checked: pem)
    }

    /// Takes a key of any kind that TLS knows.
    ///
    /// - Throws: ``CertificateError`` where the text is no key, or one behind a passphrase.
    public init(pem: [UInt8]) throws(CertificateError) {
        self.pem = pem
        try withHandle { _ in }
    }

    private init(checked pem: [UInt8]) {
        self.pem = pem
    }

    /// Whether the certificate is for this key.
    public func belongs(to certificate: Certificate) -> Bool {
        let matches = try? withHandle { key in
            try? certificate.withHandle { X509_check_private_key($0, key) == 1 }
        }
        ERR_clear_error()
        return matches == .some(.some(true))
    }

    /// Lends OpenSSL's form of the key.
    package func withHandle<R>(_ body: (OpaquePointer) -> R) throws(CertificateError) -> R {
        let text = pem
        let key = text.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let source = BIO_new_mem_buf(bytes.baseAddress, CInt(bytes.count)) else { return nil }
            defer { BIO_free(source) }
            return cossl_read_key(source)
        }
        ERR_clear_error()
        guard let key else {
            throw CertificateError("there is no private key in it that can be read without a passphrase")
        }
        defer { EVP_PKEY_free(key) }
        return body(key)
    }
}

/// Why a certificate or its key is of no use: one line for a person.
public struct CertificateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public let description: String

    /// Says why.
    package init(_ description: String) {
        self.description = description
    }
}

/// What `write` puts into a memory BIO; nil where it fails.
func memoryBytes(_ write: (OpaquePointer) -> Bool) -> [UInt8]? {
    guard let bio = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(bio) }
    guard write(bio) else { return nil }
    var start: UnsafeMutablePointer<CChar>?
    let count = cossl_memory(bio, &start)
    return Array(UnsafeRawBufferPointer(start: start, count: count))
}
