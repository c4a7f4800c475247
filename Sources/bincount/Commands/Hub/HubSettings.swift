import Basics
import Hub

/// Everything that can be configured of a hub, once: flags, environment, file and help are made of it.
enum HubSettings {
    static let data = Setting<String?>.text("data", "DIR", help: "the hub's data: database, certificates, backups")
    static let listen = Setting<String>.text(
        "listen", "HOST:PORT", default: "127.0.0.1:8420",
        help: "where it listens; port 0 lets the system choose")
    static let schema = Setting<String?>.text(
        "schema", "FILE",
        help: "the schema to serve, instead of Bincount's own; the desk runs if it holds what that works with")
    static let apiKey = Setting<[String]>.texts(
        "api-key", "KEY[:GROUP,…]", isSecret: true,
        help: """
            a key: KEY alone is a counter's terminal's, or KEY:GROUP,… of supervisors, auditors, desk, admins; on the \
            command line others on this machine can read it
            """)
    static let apiKeyFile = Setting<String?>.text(
        "api-key-file", "FILE", help: "keys, one a line, written as for --api-key")
    static let tlsCertificate = Setting<String?>.text(
        "tls-certificate", "FILE",
        help: """
            the hub's own certificate in PEM, with those that signed it behind; instead of the one that `hub init` makes. \
            A changed file is taken over while the hub runs
            """)
    static let tlsKey = Setting<String?>.text("tls-key", "FILE", help: "its private key in PEM, without a passphrase")
    static let plain = Setting<Bool>.flag(
        "plain", help: "speak plain HTTP, on this machine only, though there is a certificate")
    static let noDesk = Setting<Bool>.flag("no-desk", help: "do not run the control desk inside")
    static let exportCSV = Setting<String?>.text(
        "export-csv", "DIR", help: "drop approved documents as files into DIR")
    static let exportExec = Setting<String?>.text("export-exec", "CMD", help: "hand approved documents to CMD")
    static let logLevel = Setting<String>.choice(
        "log-level", ["debug", "info", "notice", "warning", "error"], default: "notice",
        help: "what is logged, and above"
    )
    static let logFormat = Setting<String>.choice(
        "log-format", ["text", "json"], default: "text", help: "lines for people, or one JSON object a line")
    static let horizon = Setting<Int64>.duration(
        "horizon", atLeast: "1h", default: "30d",
        help: """
            how long deletions and answered changes are remembered; a terminal that was away for longer compares all it \
            has
            """)

    static let slowRequest = Setting<Int64>.duration(
        "slow-request", atLeast: "1ms", default: "1s", help: "a request that takes this long is logged, with its id")

    /// What `bincount hub` accepts when it serves.
    static let serving: [SettingDefinition] =
        [
            data.definition, listen.definition, schema.definition, apiKey.definition, apiKeyFile.definition,
            tlsCertificate.definition, tlsKey.definition, plain.definition, noDesk.definition, exportCSV.definition,
            exportExec.definition, logLevel.definition, logFormat.definition, horizon.definition,
            slowRequest.definition,
        ] + identity + functions + LimitSettings.definitions

    /// Where the certificate comes from.
    static func certificate(_ settings: Settings) throws -> CertificateSource {
        switch (settings[tlsCertificate], settings[tlsKey]) {
        case (nil, nil): return settings[plain] ? .none : .site
        case (let certificate?, let key?):
            guard !settings[plain] else { throw UsageError("--plain and --tls-certificate contradict each other") }
            return .files(certificate: certificate, key: key)
        default: throw UsageError("--tls-certificate FILE and --tls-key FILE belong together")
        }
    }

    /// The level that is logged.
    static func level(_ settings: Settings) -> LogLevel {
        LogLevel.allCases.first { "\($0)" == settings[logLevel] } ?? .notice
    }

    /// Everything that a configuration file may hold.
    static let all: [SettingDefinition] = serving
}
