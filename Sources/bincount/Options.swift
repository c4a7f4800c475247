import Assembly
import Basics
import Crypto
import Glibc
import System
import Transport

/// Options that several commands share.
enum Options {
    /// The device's key: `--api-key-file FILE`, `--api-key KEY` (for trials), else BINCOUNT_API_KEY.
    static func key(_ arguments: inout CommandLineArguments) throws -> String? {
        if let file = try arguments.value("--api-key-file", "FILE") {
            let key = try Files.readText(file).split(whereSeparator: \.isWhitespace).first.map(String.init)
            guard let key else { throw CommandFailure("\(file) holds no key") }
            return key
        }
        if let key = try arguments.value("--api-key", "KEY") { return key }
        return environment("BINCOUNT_API_KEY")
    }

    /// The hub to use: `--hub URL` with a key, else the one that the data directory was enrolled at; nil where there is
    /// none.
    static func hub(_ arguments: inout CommandLineArguments, data: String? = nil) throws -> HubLink? {
        let url = try arguments.value("--hub", "URL")
        let given = try key(&arguments)
        let authority = try arguments.value("--tls-authority", "FILE")
        let enrolment = try data.flatMap { try Enrolment.read(in: $0) }
        guard let url else { return try enrolment?.link() }
        // Naming the hub that the terminal is enrolled at must not lose whom it pinned.
        let isSame = enrolment?.url == url
        let key = given ?? (isSame ? enrolment?.key : nil)
        let anchor = try authority.map(certificate) ?? (isSame ? enrolment?.anchor : nil)
        let parts: URLParts
        do { parts = try URLParts(url) } catch { throw UsageError("--hub \(url): \(error)") }
        guard ["http", "https"].contains(parts.scheme), parts.path.hasSuffix("/graphql") else {
            throw UsageError("--hub \(url) is no hub's URL; it is what the hub prints, ending in /graphql")
        }
        guard let key, !key.isEmpty else {
            throw UsageError("a hub wants a key: set BINCOUNT_API_KEY or give --api-key-file FILE")
        }
        return HubLink(
            url: url, key: key, tls: try anchor.map { try TLSClientContext(trust: .pinned($0)) })
    }

    /// The certificate in a file: an authority to believe.
    private static func certificate(_ file: String) throws -> Certificate {
        do { return try Certificate.read(pem: try Files.read(file))[0] } catch {
            throw CommandFailure("--tls-authority \(file): \(error)")
        }
    }

    static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// A log on standard error: warnings, and everything with `--verbose`.
    static func log(_ arguments: inout CommandLineArguments) -> Log {
        .standardError(level: arguments.flag("--verbose") ? .debug : .warning)
    }
}
