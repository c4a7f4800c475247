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

    /// A person's token: `--token-file FILE`, else BINCOUNT_TOKEN; with the file that keeps it.
    static func token(_ arguments: inout CommandLineArguments) throws -> (text: String, file: String?)? {
        if let file = try arguments.value("--token-file", "FILE") { return (try readToken(file), file) }
        return environment("BINCOUNT_TOKEN").map { ($0, nil) }
    }

    private static func readToken(_ file: String) throws -> String {
        let token = try Files.readText(file).split(whereSeparator: \.isWhitespace).first.map(String.init)
        guard let token else { throw CommandFailure("\(file) holds no token; `bincount login` gets one") }
        return token
    }

    /// The hub to use: `--hub URL`, else the one that the data directory was enrolled at; nil where there is none.
    ///
    /// A token that is named is shown there, else a key that is named; else what the data directory has: the token that
    /// `bincount login` left, or the terminal's own key, whichever `prefersToken` says. The claim that names a token's
    /// person is `--person-claim NAME`, else BINCOUNT_PERSON_CLAIM.
    static func hub(
        _ arguments: inout CommandLineArguments, data: String? = nil, prefersToken: Bool = true
    ) throws -> HubLink? {
        let named = try arguments.value("--hub", "URL")
        let token = try token(&arguments)
        let claim = try arguments.value("--person-claim", "NAME") ?? environment("BINCOUNT_PERSON_CLAIM")
        let given = try key(&arguments)
        let authority = try arguments.value("--tls-authority", "FILE")
        let enrolment = try data.flatMap { try Enrolment.read(in: $0) }
        guard let url = named ?? enrolment?.url else { return nil }
        // Naming the hub that the terminal is enrolled at must not lose whom it pinned.
        let isSame = enrolment?.url == url
        let anchor = try authority.map(certificate) ?? (isSame ? enrolment?.anchor : nil)
        try checkHub(url)
        let tls = try anchor.map { try TLSClientContext(trust: .pinned($0)) }
        func link(token: String, file: String?) -> HubLink {
            HubLink(url: url, credentials: .token(token), tokenFile: file, personClaim: claim, tls: tls)
        }
        if let token { return link(token: token.text, file: token.file) }
        if let given, !given.isEmpty { return HubLink(url: url, key: given, tls: tls) }
        // A token is shown to nobody but the hub that gave it; one that does not say so is the enrolled hub's.
        let kept = try data.flatMap { try KeptToken.read(in: $0) }
        let fitting = kept.flatMap { ($0.hub ?? enrolment?.url ?? url) == url ? $0 : nil }
        if isSame, let key = enrolment?.key, fitting == nil || !prefersToken {
            return HubLink(url: url, key: key, tls: tls)
        }
        if let fitting { return link(token: fitting.text, file: fitting.file) }
        if let kept {
            throw UsageError(
                "\(kept.file) is for \(printable(kept.hub ?? enrolment?.url ?? "another hub")) and is shown to no other; "
                    + "sign in here with `bincount login --hub \(printable(url))`, or name a key or a token")
        }
        throw UsageError(
            "a hub wants to know who asks: set BINCOUNT_API_KEY, give --api-key-file FILE or --token-file FILE, sign in "
                + "with `bincount login`, or enrol this terminal with `bincount enrol`")
    }

    /// Checks a hub's URL before anything secret goes there: in clear a key, a token or a PIN never leaves this machine.
    static func checkHub(_ url: String) throws {
        let parts: URLParts
        do { parts = try URLParts(url) } catch { throw UsageError("--hub \(url): \(error)") }
        guard ["http", "https"].contains(parts.scheme), parts.path.hasSuffix("/graphql") else {
            throw UsageError("--hub \(url) is no hub's URL; it is what the hub prints, ending in /graphql")
        }
        guard parts.scheme == "https" || parts.isLoopback else {
            throw UsageError(
                "--hub \(url): beyond this machine a hub speaks https, and anybody on the way could read a key; "
                    + "write https://")
        }
    }

    /// The certificate in a file: an authority to believe.
    static func certificate(_ file: String) throws -> Certificate {
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
