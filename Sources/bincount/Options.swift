import Assembly
import Basics
import Glibc
import System

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

    /// The hub to use: `--hub URL` with a key; nil where none is given.
    static func hub(_ arguments: inout CommandLineArguments) throws -> HubLink? {
        let url = try arguments.value("--hub", "URL")
        let key = try key(&arguments)
        guard let url else { return nil }
        let parts: URLParts
        do { parts = try URLParts(url) } catch { throw UsageError("--hub \(url): \(error)") }
        guard ["http", "https"].contains(parts.scheme), parts.path.hasSuffix("/graphql") else {
            throw UsageError("--hub \(url) is no hub's URL; it is what the hub prints, ending in /graphql")
        }
        guard let key, !key.isEmpty else {
            throw UsageError("a hub wants a key: set BINCOUNT_API_KEY or give --api-key-file FILE")
        }
        return HubLink(url: url, key: key)
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
