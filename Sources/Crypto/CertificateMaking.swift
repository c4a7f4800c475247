import Basics
import COpenSSL

/// Makes certificates: a site's own authority, and servers' certificates signed by it.
public enum CertificateMaking {
    /// Makes an authority's certificate, signed by itself. It may sign servers' certificates and nothing else.
    ///
    /// - Throws: ``CertificateError`` where the name is empty or too long.
    public static func authority(
        name: String, key: PrivateKey, from: DateTime, until: DateTime
    ) throws(CertificateError) -> Certificate {
        try make(
            name: name, key: key, issuer: nil, issuerKey: key, from: from, until: until,
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ])
    }

    /// Makes the certificate of a server with these host names and addresses.
    ///
    /// - Throws: ``CertificateError`` where a name is none.
    public static func server(
        names: [String], key: PrivateKey, authority: Certificate, authorityKey: PrivateKey, from: DateTime,
        until: DateTime
    ) throws(CertificateError) -> Certificate {
        guard let first = names.first else { throw CertificateError("a certificate needs a host name or an address") }
        var alternatives: [String] = []
        for name in names {
            if HostName.isAddress(name) {
                alternatives.append("IP:\(name)")
            } else if HostName.isName(name) {
                alternatives.append("DNS:\(name)")
            } else {
                throw CertificateError("“\(printable(name))” is neither a host name nor an address")
            }
        }
        return try make(
            name: String(first.prefix(64)), key: key, issuer: authority, issuerKey: authorityKey, from: from,
            until: until,
            extensions: [
                (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "serverAuth"), (NID_subject_key_identifier, "hash"),
                (NID_authority_key_identifier, "keyid:always"),
                (NID_subject_alt_name, alternatives.joined(separator: ",")),
            ])
    }

    private static func make(
        name: String, key: PrivateKey, issuer: Certificate?, issuerKey: PrivateKey, from: DateTime, until: DateTime,
        extensions: [(kind: CInt, value: String)]
    ) throws(CertificateError) -> Certificate {
        guard let certificate = X509_new() else { throw CertificateError("OpenSSL cannot make a certificate") }
        defer {
            X509_free(certificate)
            ERR_clear_error()
        }
        let prepared = try key.withHandle { key in
            X509_set_version(certificate, 2) == 1 && setSerial(certificate)
                && ASN1_TIME_set(X509_getm_notBefore(certificate), Int(from.milliseconds / 1000)) != nil
                && ASN1_TIME_set(X509_getm_notAfter(certificate), Int(until.milliseconds / 1000)) != nil
                && X509_set_pubkey(certificate, key) == 1
                && X509_NAME_add_entry_by_txt(
                    X509_get_subject_name(certificate), "CN", 0x1000, name, CInt(name.utf8.count), -1, 0) == 1
        }
        guard prepared else {
            throw CertificateError("“\(printable(name))” cannot be the name of a certificate")
        }
        let finish = { (issuer: OpaquePointer, signer: OpaquePointer) -> Bool in
            guard X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 else { return false }
            for (kind, value) in extensions where cossl_add_extension(certificate, issuer, kind, value) != 1 {
                return false
            }
            return X509_sign(certificate, signer, EVP_sha256()) > 0
        }
        let isSigned = try issuerKey.withHandle { signer in
            guard let issuer else { return finish(certificate, signer) }
            return (try? issuer.withHandle { finish($0, signer) }) ?? false
        }
        guard isSigned, let der = Certificate.der(certificate) else {
            throw CertificateError("OpenSSL cannot sign the certificate")
        }
        return try Certificate(der: der)
    }

    /// 126 random bits: no two certificates of an authority have the same number.
    private static func setSerial(_ certificate: OpaquePointer) -> Bool {
        var bytes = SecureRandom.bytes(16)
        bytes[0] = bytes[0] & 0x3F | 0x40
        guard let number = BN_bin2bn(bytes, CInt(bytes.count), nil) else { return false }
        defer { BN_free(number) }
        return BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
    }
}
