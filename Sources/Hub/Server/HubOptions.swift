import Basics
import Crypto
import Models

/// How a hub is started.
public struct HubOptions: Sendable {
    /// The directory of the hub's data: `hub.sqlite` and its lock. It is made where it is missing.
    public var dataDirectory: String
    /// The schema to serve.
    public var schema: Schema
    /// The schema in its own language: what `schema pull` prints; nil where nobody has it.
    public var schemaText: String?
    /// The API keys.
    public var keys: APIKeys
    /// Who is let in beside the keys: the hub's own people, keys that it keeps, issuers.
    public var identity = IdentityOptions()
    /// Where the certificate comes from; without one the hub listens on this machine only.
    public var certificate = CertificateSource.site
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port; 0 lets the system choose.
    public var port = 0
    /// Where the time comes from.
    public var time: any TimeSource
    /// Where the ids of records come from that clients leave out, and the names of requests.
    public var random: any RandomSource
    /// The log; it never gets a key.
    public var log: Log
    /// The functions of the site that decide conflicts, and that are called before and after mutations.
    public var resolvers = ResolverOptions()
    /// What one request, one answer and one connection may cost, and what may wait for a commit.
    public var limits = HubLimits()
    /// A program of this process that is a client of the hub, such as the control desk: no schema is served that takes
    /// something away from it.
    public var resident: SchemaResident?
    /// Called from the hub's threads, every few milliseconds, while a change of its tables gets on for which everybody waits:
    /// at the start, and when another schema takes the place of the one that is served.
    public var progress: (@Sendable () -> Void)?
    /// How long tombstones and mutation ids are kept, in milliseconds of hub time.
    public var horizonMilliseconds = HubCore.horizon
    /// A request that takes this long is logged as slow; nil where none is.
    public var slowMilliseconds: Int64? = 1_000
    /// How often `ka` is sent, in milliseconds.
    public var keepAliveMilliseconds: Int64 = 30_000

    /// Starts with a data directory, a schema and keys.
    public init(
        dataDirectory: String, schema: Schema, keys: APIKeys, time: any TimeSource,
        random: any RandomSource = SystemRandom(), log: Log = .none
    ) {
        self.dataDirectory = dataDirectory
        self.schema = schema
        self.keys = keys
        self.time = time
        self.random = random
        self.log = log
    }

    /// Takes the address from `HOST:PORT`, `[::1]:PORT` or `PORT`.
    ///
    /// - Throws: ``HubError`` where it is none.
    public mutating func listen(on address: String) throws(HubError) {
        let wrong = HubError("\(printable(address)) is no address; write HOST:PORT, such as 127.0.0.1:8080")
        var host = "127.0.0.1"
        var port = address[...]
        if let colon = address.lastIndex(of: ":") {
            host = String(address[..<colon])
            port = address[address.index(after: colon)...]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard let number = Int(port), (0...65_535).contains(number), !host.isEmpty else { throw wrong }
        self.host = host
        self.port = number
    }

    /// Whether the address is this machine's own.
    var isLoopback: Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && HostName.isAddress(host))
    }
}
