import Basics
import COpenSSL
import Glibc

/// An X.509 certificate: who it names, and from when until when.
public struct Certificate: Sendable, Hashable {
    /// The certificate as it travels.
    public let der: [UInt8]
    /// The common name of whom it is for.
    public let commonName: String
    /// The common name of who signed it.
    public let issuerName: String
    /// It is not valid before.
    public let validFrom: DateTime
    /// It is not valid after.
    public let validUntil: DateTime
    /// The host names and addresses that it is for.
    public let names: [String]
    /// Whether it may sign others.
    public let isAuthority: Bool

    /// Reads one certificate.
    ///
    /// - Throws: ``CertificateError`` where the bytes are none.
    public init(der: [UInt8]) throws(CertificateError) {
        self.der = der
        guard let handle = Self.handle(der) else { throw CertificateError("it is no certificate") }
        defer { X509_free(handle) }
        commonName = Self.commonName(X509_get_subject_name(handle))
        issuerName = Self.commonName(X509_get_issuer_name(handle))
        validFrom = try Self.time(X509_get0_notBefore(handle))
        validUntil = try Self.time(X509_get0_notAfter(handle))
        names = Self.names(handle)
        isAuthority = X509_check_ca(handle) == 1
        ERR_clear_error()
    }

    /// Reads all certificates of a PEM file, in its order: a server's own first, then those that signed it.
    ///
    /// - Throws: ``CertificateError`` where there is none.
    public static func read(pem: [UInt8]) throws(CertificateError) -> [Certificate] {
        var found: [[UInt8]] = []
        pem.withUnsafeBytes { bytes in
            guard let source = BIO_new_mem_buf(bytes.baseAddress, CInt(bytes.count)) else { return }
            defer { BIO_free(source) }
            while let handle = PEM_read_bio_X509(source, nil, cossl_no_passphrase, nil) {
                if let der = Self.der(handle) { found.append(der) }
                X509_free(handle)
            }
        }
        ERR_clear_error()
        guard !found.isEmpty else { throw CertificateError("there is no certificate in it") }
        var result: [Certificate] = []
        for der in found { result.append(try Certificate(der: der)) }
        return result
    }

    /// The certificate as text.
    public var pem: [UInt8] {
        (try? withHandle { handle in memoryBytes { PEM_write_bio_X509($0, handle) == 1 } }) ?? nil ?? []
    }

    /// The SHA-256 of the whole certificate, as `openssl x509 -fingerprint -sha256` writes it.
    public var fingerprint: String {
        let digits = Array(Hex.encode(SHA256.digest(der)).utf8)
        var text: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            if index > 0, index % 2 == 0 { text.append(UInt8(ascii: ":")) }
            text.append(digit >= 97 ? digit - 32 : digit)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether it was signed by the other's key.
    public func isSigned(by authority: Certificate) -> Bool {
        let verified = try? withHandle { handle in
            (try? authority.withHandle { X509_verify(handle, X509_get0_pubkey($0)) == 1 }) ?? false
        }
        ERR_clear_error()
        return verified ?? false
    }

    /// Whether it is for this host name or address, as TLS compares them.
    public func isFor(_ host: String) -> Bool {
        let matches = try? withHandle { handle in
            HostName.isAddress(host)
                ? X509_check_ip_asc(handle, host, 0) == 1 : X509_check_host(handle, host, 0, 0, nil) == 1
        }
        ERR_clear_error()
        return matches ?? false
    }

    /// Lends OpenSSL's form of the certificate.
    package func withHandle<R>(_ body: (OpaquePointer) -> R) throws(CertificateError) -> R {
        guard let handle = Self.handle(der) else { throw CertificateError("it is no certificate") }
        defer { X509_free(handle) }
        return body(handle)
    }

    // MARK: From OpenSSL's form

    /// The bytes of OpenSSL's form.
    package static func der(_ handle: OpaquePointer) -> [UInt8]? {
        memoryBytes { i2d_X509_bio($0, handle) == 1 }
    }

    private static func handle(_ der: [UInt8]) -> OpaquePointer? {
        der.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return d2i_X509(nil, &start, bytes.count)
        }
    }

    private static func commonName(_ name: OpaquePointer?) -> String {
        var text = [CChar](repeating: 0, count: 256)
        let count = X509_NAME_get_text_by_NID(name, NID_commonName, &text, CInt(text.count))
        guard count > 0 else { return "" }
        return printable(String(decoding: text[..<min(Int(count), 255)].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    private static func time(_ time: UnsafePointer<ASN1_TIME>?) throws(CertificateError) -> DateTime {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { throw CertificateError("its dates cannot be read") }
        return DateTime(milliseconds: Int64(timegm(&parts)) * 1000)
    }

    private static func names(_ handle: OpaquePointer) -> [String] {
        guard let list = X509_get_ext_d2i(handle, NID_subject_alt_name, nil, nil) else { return [] }
        let names = OpaquePointer(list)
        defer { GENERAL_NAMES_free(names) }
        return (0..<cossl_name_count(names)).compactMap { place in
            var bytes: UnsafePointer<UInt8>?
            var count: CInt = 0
            let kind = cossl_name_at(names, place, &bytes, &count)
            let value = UnsafeBufferPointer(start: bytes, count: Int(count))
            if kind == GEN_DNS { return printable(String(decoding: value, as: UTF8.self)) }
            return kind == GEN_IPADD ? HostName.text(ofAddress: value) : nil
        }
    }
}

/// Host names and addresses as certificates hold them.
public enum HostName {
    /// Whether the text is an IPv4 or IPv6 address.
    public static func isAddress(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1
    }

    /// Whether the text is a host name: letters, digits, hyphens and dots, perhaps `*.` before.
    public static func isName(_ text: String) -> Bool {
        let labels = (text.hasPrefix("*.") ? text.dropFirst(2) : text[...]).split(
            separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { byte in
                        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                            || byte == 45 || byte == 95
                    }
            }
    }

    static func text(ofAddress bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes.baseAddress, &text, socklen_t(text.count)) != nil
        else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
