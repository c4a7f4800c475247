import Basics
import Crypto
import System

/// The codes that wait for their terminals, each a file of the data directory, for the hub's user alone.
///
/// Files, so that a command makes one while the hub runs, and so that whoever removes the file has used the code: of two
/// that try, one does.
package struct EnrolmentCodes: Sendable {
    /// A code that waits, without the code itself: the keys of its proofs, which are of no use for anything else.
    package struct Waiting: Sendable, Hashable {
        package let id: String
        package let keys: EnrolmentKeys
        /// The only terminal that may use it; nil for any.
        package let device: String?
        package let groups: [String]
        package let expires: DateTime
        /// The fingerprint of the certificate that the keys belong to.
        package let anchor: String
    }

    private let directory: String

    package init(dataDirectory: String) {
        directory = dataDirectory + "/enrolment"
    }

    /// Makes a code for the hub of a data directory, which is told this once. The hub may run meanwhile.
    ///
    /// - Throws: ``HubError``, or what the file system says.
    package static func make(
        dataDirectory: String, source: CertificateSource, device: String?, groups: [String], expires: DateTime
    ) throws -> EnrolmentCode {
        let site = SiteCertificates(dataDirectory: dataDirectory)
        if source == .none || (source == .site && !site.isSetUp) {
            throw HubError("terminals enrol over TLS: set it up first, `bincount hub init --data \(dataDirectory)`")
        }
        let chain = try HubTLS.load(source, site).chain
        return try EnrolmentCodes(dataDirectory: dataDirectory).make(
            anchor: chain[chain.count - 1], device: device, groups: groups, expires: expires)
    }

    /// Makes a code, which is told this once.
    ///
    /// - Throws: ``HubError``, or what the file system says.
    package func make(
        anchor: Certificate, device: String?, groups: [String], expires: DateTime
    ) throws -> EnrolmentCode {
        let code = EnrolmentCode.make()
        guard let keys = code.keys(anchor: anchor) else { throw HubError("there is not enough memory to make a code") }
        let json = JSONValue.object([
            "anchor": .string(anchor.fingerprint), "expires": .integer(expires.milliseconds),
            "groups": .array(groups.map { .string($0) }), "device": device.map { .string($0) } ?? .null,
            "terminal": .string(Base64.encode(keys.terminal)), "hub": .string(Base64.encode(keys.hub)),
        ])
        try Files.createDirectory(directory, mode: 0o700)
        let path = "\(directory)/\(SecureRandom.hex(byteCount: 8)).json"
        try Files.writeAtomically(json.bytes, to: path, mode: 0o600)
        return code
    }

    /// The codes that are good now. Those whose time is over go.
    ///
    /// - Parameter problem: is told what cannot be read, and why.
    package func waiting(now: DateTime, problem: (String) -> Void = { _ in }) -> [Waiting] {
        guard Files.isDirectory(directory) else { return [] }
        let names: [String]
        do {
            names = try Files.list(directory)
        } catch {
            problem("\(error)")
            return []
        }
        return names.filter { $0.hasSuffix(".json") }.compactMap { name in
            let path = "\(directory)/\(name)"
            let bytes: [UInt8]
            do {
                bytes = try Files.read(path)
            } catch {
                // Another may just have used it.
                if Files.exists(path) { problem("\(error)") }
                return nil
            }
            guard let found = Self.read(bytes, id: String(name.dropLast(5))) else {
                problem("\(path) is no code")
                return nil
            }
            guard found.expires > now else {
                try? Files.remove(path)
                return nil
            }
            return found
        }
    }

    /// Uses a code up; false where somebody else just has.
    package func use(_ code: Waiting) -> Bool {
        let path = "\(directory)/\(code.id).json"
        // Renaming fails for the second; removing a missing file would not.
        guard (try? Files.rename(path, to: path + ".used")) != nil else { return false }
        try? Files.remove(path + ".used")
        return true
    }

    private static func read(_ bytes: [UInt8], id: String) -> Waiting? {
        guard let json = try? JSONValue(parsing: bytes), let anchor = json["anchor"]?.string,
            let expires = json["expires"]?.integer, let groups = json["groups"]?.array,
            let terminal = json["terminal"]?.string.flatMap(Base64.decode),
            let hub = json["hub"]?.string.flatMap(Base64.decode)
        else { return nil }
        return Waiting(
            id: id, keys: EnrolmentKeys(terminal: terminal, hub: hub), device: json["device"]?.string,
            groups: groups.compactMap(\.string), expires: DateTime(milliseconds: expires), anchor: anchor)
    }
}
