import Basics
import COpenSSL
import Crypto

/// Why a server's certificate was refused, in words that say what to do.
public struct CertificateProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Kind: Hashable, Sendable {
        /// Its time is over.
        case expired(since: DateTime)
        /// Its time has not begun, by this device's clock.
        case notYetValid(from: DateTime)
        /// It is for other names than the one that was connected to.
        case otherName([String])
        /// It was signed by another authority than the pinned one. The fingerprints are SHA-256.
        case otherAuthority(pinned: String, presented: String?)
        /// Nobody whom this system trusts has signed it.
        case unknownAuthority(issuer: String)
        /// Anything else, in OpenSSL's words.
        case other(String)
    }

    /// What is wrong.
    public let kind: Kind
    /// The host that was connected to.
    public let host: String
    /// This device's clock at that moment.
    public let now: DateTime

    /// Puts one together.
    public init(_ kind: Kind, host: String, now: DateTime) {
        self.kind = kind
        self.host = host
        self.now = now
    }

    /// What OpenSSL's code means for the person in front of the device.
    init(code: CInt, chain: [Certificate], trust: TLSTrust, host: String, now: DateTime) {
        self.host = host
        self.now = now
        let own = chain.first
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            let over = chain.filter { $0.validUntil < now }.map(\.validUntil).min()
            // The pinned authority is not among what was presented, and may be the one.
            kind = .expired(since: over ?? Self.pinned(trust)?.validUntil ?? now)
        case X509_V_ERR_CERT_NOT_YET_VALID:
            let later = chain.filter { $0.validFrom > now }.map(\.validFrom).max()
            kind = .notYetValid(from: later ?? Self.pinned(trust)?.validFrom ?? now)
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            kind = .otherName(own?.names ?? [])
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE:
            if let pinned = Self.pinned(trust) {
                kind = .otherAuthority(
                    pinned: pinned.fingerprint, presented: chain.last { $0.isAuthority }?.fingerprint)
            } else {
                kind = .unknownAuthority(issuer: chain.last?.issuerName ?? "")
            }
        default:
            kind = .other(String(cString: X509_verify_cert_error_string(Int(code))))
        }
    }

    private static func pinned(_ trust: TLSTrust) -> Certificate? {
        if case .pinned(let certificate) = trust { certificate } else { nil }
    }

    /// One line for a person: what is wrong, and what to do.
    public var description: String {
        let start = "the certificate of \(host) is refused: "
        switch kind {
        case .expired(let since):
            let line = start + "it expired on \(Self.day(since)); this device's clock says \(Self.day(now)). "
            return line
                + (Self.years(since, now) >= 1
                    ? "If that date is wrong, set the clock; else renew" : "Renew")
                + " it on the hub (bincount hub renew)"
        case .notYetValid(let from):
            let years = Self.years(now, from)
            let late = years >= 1 ? "about \(years) year\(years == 1 ? "" : "s") slow" : "slow"
            return start + "it is valid from \(Self.day(from)) and this device's clock says \(Self.day(now)), so the "
                + "clock is \(late). Set the clock"
        case .otherName(let names):
            let list = names.isEmpty ? "no host at all" : names.prefix(8).map(printable).joined(separator: ", ")
            return start + "it is for \(list). Use one of these names in the hub's URL, or have the hub's certificate "
                + "made for \(host) too (bincount hub renew --name \(host))"
        case .otherAuthority(let pinned, let presented):
            let other = presented.map { "its authority has the fingerprint \($0)" } ?? "another authority signed it"
            return start + "\(other), and at enrolment it was \(pinned). Either another machine answers in the hub's "
                + "place, or the hub was set up anew: ask who runs it, and only then enrol again (bincount enrol)"
        case .unknownAuthority(let issuer):
            return start + "\(issuer.isEmpty ? "its issuer" : "“\(issuer)”, who signed it,") is not among the "
                + "authorities that this system trusts (/etc/ssl/certs). For a hub with its own authority, enrol this "
                + "device (bincount enrol)"
        case .other(let text): return start + text
        }
    }

    /// Whole years between two instants.
    private static func years(_ from: DateTime, _ until: DateTime) -> Int64 {
        (until.milliseconds - from.milliseconds) / (365 * 86_400_000)
    }

    private static func day(_ time: DateTime) -> String { String(time.iso8601.prefix(16)) + "Z" }
}
