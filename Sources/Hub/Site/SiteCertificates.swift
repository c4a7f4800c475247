import Basics
import Crypto
import Glibc
import System

/// The certificates of a site in a hub's data directory: its own authority, which terminals pin, and the server's
/// certificate, which is renewed from it.
///
/// `tls/authority.pem` is public; `tls/authority.key` and `tls/server.pem`, which holds the server's key and chain
/// together so that both change at once, are for the hub's user alone.
public struct SiteCertificates: Sendable {
    /// What was done.
    public enum Outcome: Sendable, Hashable {
        /// The authority and the certificate are new.
        case made
        /// The authority was there, the certificate is new: an earlier start was interrupted.
        case completed
        /// Everything was there and was left alone.
        case unchanged
    }

    /// The directory of the files.
    public let directory: String
    /// The authority's certificate.
    public var authorityFile: String { directory + "/authority.pem" }
    /// The authority's key.
    public var authorityKeyFile: String { directory + "/authority.key" }
    /// The server's key and chain.
    public var serverFile: String { directory + "/server.pem" }

    /// A server's certificate is valid for so long: browsers and phones refuse more than 398 days.
    static let serverDays: Int64 = 397
    /// It is renewed when less than this is left.
    static let renewalDays: Int64 = 90
    private static let day: Int64 = 86_400_000
    /// Certificates begin earlier than they are made, so that a terminal whose clock is a little slow takes them.
    private static let leeway = -day
    private static let authorityDays: Int64 = 7305

    /// Names the files of a hub's data directory.
    public init(dataDirectory: String) {
        directory = dataDirectory + "/tls"
    }

    /// Whether the site has its certificates.
    public var isSetUp: Bool { Files.exists(serverFile) }

    /// The authority's certificate.
    ///
    /// - Throws: what the file system or `CertificateError` says.
    public func authority() throws -> Certificate { try Certificate.read(pem: try Files.read(authorityFile))[0] }

    /// The server's key, and its certificate with the authority's behind.
    ///
    /// - Throws: what the file system or `CertificateError` says.
    public func server() throws -> (chain: [Certificate], key: PrivateKey) {
        let pem = try Files.read(serverFile)
        return (try Certificate.read(pem: pem), try PrivateKey(pem: pem))
    }

    /// Makes what is missing and changes nothing that is there.
    ///
    /// - Parameter names: host names and addresses under which terminals reach the hub; this machine's own where empty
    /// - Throws: ``HubError`` where what is there is for other names, or cannot be completed.
    public func make(names: [String], now: DateTime) throws -> Outcome {
        if isSetUp {
            let own = try server().chain[0]
            let missing = names.filter { !own.isFor($0) }
            guard missing.isEmpty else {
                throw HubError(
                    "this hub is set up already, for \(own.names.joined(separator: ", ")); to have "
                        + "\(missing.map(printable).joined(separator: ", ")) too use `bincount hub renew --name …`")
            }
            return .unchanged
        }
        let names = Self.complete(names.isEmpty ? Self.ownNames() : names)
        try Self.check(names)
        try Files.createDirectory(directory)
        if Files.exists(authorityFile) || Files.exists(authorityKeyFile) {
            guard Files.exists(authorityFile), Files.exists(authorityKeyFile) else {
                throw HubError("\(directory) holds half of an authority; put the other half back, or remove it")
            }
            _ = try issue(names, now)
            return .completed
        }
        let key = PrivateKey.make()
        let authority = try CertificateMaking.authority(
            name: "Bincount authority of \(names[0])".prefixed(64), key: key, from: now.advanced(by: Self.leeway),
            until: now.advanced(by: Self.authorityDays * Self.day))
        // The key first: without the certificate nobody believes it, and without the key nothing can be renewed.
        try Files.createNew(key.pem, at: authorityKeyFile, mode: 0o600)
        try Files.createNew(authority.pem, at: authorityFile, mode: 0o644)
        _ = try issue(names, now)
        return .made
    }

    /// Gives the server a new key and certificate for the names that it had, and these. A running hub takes them over.
    ///
    /// - Throws: ``HubError`` where there is no authority here or a name is none.
    public func renew(adding names: [String] = [], now: DateTime) throws -> Certificate {
        guard isSetUp else { throw HubError("this hub is not set up yet; `bincount hub init` does it") }
        let names = names.map { $0.lowercased() }
        let before = try server().chain[0].names
        return try issue(Self.complete(before.filter { !Self.always.contains($0) } + names), now)
    }

    /// Whether the server's certificate should be renewed: its end is near, or it begins later, since a clock that was ahead
    /// made it; and the authority can give a better one.
    func isDue(_ certificate: Certificate, now: DateTime) -> Bool {
        let beginsLater = certificate.validFrom > now
        guard beginsLater || certificate.validUntil < now.advanced(by: Self.renewalDays * Self.day),
            Files.exists(authorityKeyFile)
        else { return false }
        // Where the authority cannot be read, renewing says so.
        guard let authority = try? authority() else { return true }
        let (from, until) = Self.validity(now, authority)
        return beginsLater ? from < certificate.validFrom : until > certificate.validUntil.advanced(by: Self.day)
    }

    private static func validity(_ now: DateTime, _ authority: Certificate) -> (from: DateTime, until: DateTime) {
        (
            max(now.advanced(by: leeway), authority.validFrom),
            min(now.advanced(by: serverDays * day), authority.validUntil)
        )
    }

    private func issue(_ names: [String], _ now: DateTime) throws -> Certificate {
        try Self.check(names)
        let authority = try authority()
        guard authority.validUntil > now else {
            throw HubError(
                "the site's authority expired on \(authority.validUntil.iso8601): set \(directory) aside, make a new one with "
                    + "`bincount hub init`, and let the terminals enrol again")
        }
        guard Files.exists(authorityKeyFile) else {
            throw HubError("the authority's key \(authorityKeyFile) is missing; put it back from its backup")
        }
        let authorityKey = try PrivateKey(pem: try Files.read(authorityKeyFile))
        guard authorityKey.belongs(to: authority) else {
            throw HubError("\(authorityKeyFile) is not the key of \(authorityFile)")
        }
        let key = PrivateKey.make()
        let (from, until) = Self.validity(now, authority)
        let certificate = try CertificateMaking.server(
            names: names, key: key, authority: authority, authorityKey: authorityKey,
            from: from, until: until)
        try Files.writeAtomically(key.pem + certificate.pem + authority.pem, to: serverFile, mode: 0o600)
        return certificate
    }

    // MARK: Names

    private static let always = ["localhost", "127.0.0.1", "::1"]

    private static func complete(_ names: [String]) -> [String] {
        var result: [String] = []
        for name in names.map({ $0.lowercased() }) + always where !result.contains(name) { result.append(name) }
        return result
    }

    private static func check(_ names: [String]) throws {
        for name in names where !HostName.isName(name) && !HostName.isAddress(name) {
            throw HubError("“\(printable(name))” is neither a host name nor an address")
        }
    }

    /// This machine's host name and the addresses of its interfaces.
    static func ownNames() -> [String] {
        var text = [CChar](repeating: 0, count: 256)
        var names: [String] = []
        if gethostname(&text, text.count - 1) == 0 {
            let name = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if HostName.isName(name) { names.append(name) }
        }
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return names.isEmpty ? always : names }
        defer { freeifaddrs(first) }
        var next = first
        while let interface = next?.pointee {
            next = interface.ifa_next
            guard let address = interface.ifa_addr, interface.ifa_flags & UInt32(IFF_LOOPBACK) == 0 else {
                continue
            }
            let family = Int32(address.pointee.sa_family)
            guard family == AF_INET || family == AF_INET6 else { continue }
            var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
            guard
                getnameinfo(
                    address, socklen_t(size), &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0
            else { continue }
            let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // Link-local addresses are no use beyond the wire, and belong to an interface.
            if !name.hasPrefix("fe80:"), HostName.isAddress(name) { names.append(name) }
        }
        return names.isEmpty ? always : names
    }
}

extension String {
    /// At most so many bytes of it, whole characters.
    fileprivate func prefixed(_ limit: Int) -> String {
        var text = self[...]
        while text.utf8.count > limit { text.removeLast() }
        return String(text)
    }
}
