import Basics
import Models
import SQLite
import System
import Transport

/// A running hub: AppSync's API over HTTP and WebSocket, on its own threads.
public final class HubServer: Sendable {
    /// The GraphQL endpoint as terminals reach it, such as `https://hub.example:8080/graphql`.
    public let url: String
    /// The GraphQL endpoint for this process and others on this machine.
    public let localURL: String
    /// The port it listens on.
    public let port: Int

    let tls: HubTLS?
    private let enrolment: EnrolmentDesk
    private let schemas: SchemaDesk
    private let deliveries: DeliveryDesk
    let worker: HubWorker
    let identity: HubIdentity
    private let server: HTTPServer
    private let timers: Locked<[LoopTimer]>
    /// Held until the server has stopped.
    private let lock: Locked<FileLock?>

    /// Opens the data directory and begins to listen; requests are taken when it returns.
    ///
    /// - Throws: ``HubError``, or what SQLite, the file lock or the network says; each in one line for a person.
    public static func start(_ options: HubOptions) async throws -> HubServer {
        try HubServer(options)
    }

    /// Looks whether it could begin to listen, with its certificate and on its address. Nothing is changed.
    ///
    /// - Returns: what could not be tried, in a sentence; nil where everything was.
    /// - Throws: what ``start(_:)`` would.
    public static func check(_ options: HubOptions) throws -> String? {
        let tls = try HubTLS(
            options.certificate, dataDirectory: options.dataDirectory, time: options.time, log: options.log)
        guard tls != nil || options.isLoopback else { throw HubError("beyond this machine the hub speaks TLS only") }
        if let obstacle = HubDirectory.obstacle(in: options.dataDirectory) { throw HubError(obstacle) }
        let schema = try HubCheck.served(
            in: options.dataDirectory, startedWith: options.schema, text: options.schemaText)
        try options.resident?.check(schema)
        _ = try Resolvers(options.resolvers, HubSchema(schema))
        try FunctionRunner(options.resolvers.functions, time: options.time, log: .none).stop()
        return try checkAddress(options)
    }

    /// Tries the address, which the hub that runs on these data may have: it is free when that one stops.
    private static func checkAddress(_ options: HubOptions) throws -> String? {
        let address = (options.host.contains(":") ? "[\(options.host)]" : options.host) + ":\(options.port)"
        switch ListenObstacle(host: options.host, port: options.port) {
        case nil: return nil
        case .taken? where FileLock.isHeld(options.dataDirectory + "/hub.lock"):
            return "\(address) is in use; a hub runs on \(printable(options.dataDirectory)), and it may be that one's"
        case .taken?:
            throw HubError("--listen: another program listens on \(address); stop it, or choose another port")
        case .elsewhere?:
            throw HubError(
                "--listen: \(printable(address)) is not an address of this machine; 0.0.0.0:\(options.port) is all it has"
            )
        case .refused(let reason)?:
            throw HubError("--listen: this user cannot listen on \(printable(address)): \(reason)")
        }
    }

    private init(_ options: HubOptions) throws {
        let tls = try HubTLS(
            options.certificate, dataDirectory: options.dataDirectory, time: options.time, log: options.log)
        self.tls = tls
        guard tls != nil || options.isLoopback else {
            throw HubError(
                "beyond this machine the hub speaks TLS only: set that up with `bincount hub init --data "
                    + "\(options.dataDirectory)`, or use --listen 127.0.0.1:\(options.port)")
        }
        try HubDirectory.make(options.dataDirectory)
        do {
            lock = Locked(try FileLock(options.dataDirectory + "/hub.lock"))
        } catch let held as FileLock.Held {
            throw HubError(
                "\(options.dataDirectory) is in use by another hub"
                    + (held.owner.map { " (process \($0))" } ?? "") + "; stop it or choose another --data directory")
        }
        let identity = try HubIdentity(options)
        self.identity = identity
        let enrolment = EnrolmentDesk(
            dataDirectory: options.dataDirectory, tls: tls, time: options.time, log: options.log,
            digests: { identity.service.digests(ofDevice: $0) }
        ) { device, groups, completion in
            identity.service.makeKey(forDevice: device, groups: groups) { completion($0.map(\.key)) }
        }
        self.enrolment = enrolment
        let worker = try HubWorker(options, identity.authenticator)
        self.worker = worker
        let schemas = SchemaDesk(worker, identity.authenticator, options)
        self.schemas = schemas
        let deliveries = DeliveryDesk(worker, identity.authenticator, options)
        self.deliveries = deliveries
        do {
            try options.resident?.check(worker.served.current.schema)
            if let missing = try options.resident?.missingRights(under: worker.served.current.schema) {
                options.log(.warning, missing)
            }
            if let exposure = HubDirectory.exposure(of: options.dataDirectory) { options.log(.warning, exposure) }
            try identity.open(path: options.dataDirectory + "/hub.sqlite") { worker.add(.recheck) }
            // Where there is TLS, terminals may enrol.
            guard !options.keys.isEmpty || !identity.service.isEmpty || tls != nil else {
                throw HubError(
                    "nobody could use the hub: make a key with `bincount hub key add`, or give one with --api-key-file "
                        + "or BINCOUNT_API_KEY")
            }
            server = try HTTPServer(
                host: options.host, port: options.port, tls: tls?.server,
                handler: HubHandler(worker, identity, enrolment, schemas, deliveries, tls),
                options: HTTPServerOptions(realtime: options.limits, random: options.random), threadName: "hub-link")
        } catch {
            schemas.stop()
            deliveries.stop()
            identity.stop()
            worker.stop()
            throw error
        }
        identity.connectIssuers()
        identity.connect(worker.functions, options.resolvers.authorizer)
        if let numbers = options.resolvers.functionNumbers { options.log(.notice, numbers) }
        if identity.mayWait { worker.whenReady.withLock { $0 = { identity.whenReady($0, $1, $2) } } }
        port = server.port
        (url, localURL) = Self.urls(options.host, server.port, tls)
        let timers = Locked<[LoopTimer]>([])
        self.timers = timers
        let loop = server.loop
        let period = options.keepAliveMilliseconds
        loop.execute {
            let made = [
                loop.schedule(afterMilliseconds: period, repeating: true) { worker.add(.keepAlive) },
                loop.schedule(afterMilliseconds: 10_000, repeating: true) { worker.add(.prune) },
                loop.schedule(afterMilliseconds: 2_000, repeating: true) { tls?.poll() },
                loop.schedule(afterMilliseconds: 5_000, repeating: true) { worker.add(.sweep) },
                loop.schedule(afterMilliseconds: 1_000, repeating: true) {
                    worker.add(.tick)
                    worker.lookAtDisk()
                },
                loop.schedule(afterMilliseconds: 500, repeating: true) {
                    identity.poll()
                    worker.add(.recheck)
                },
            ]
            timers.withLock { $0 = made }
        }
    }

    /// How clients in this process believe the hub; nil where it speaks plain HTTP.
    public var clientContext: TLSClientContext? { tls?.own }

    /// The addresses to tell others, and to use here.
    private static func urls(_ host: String, _ port: Int, _ tls: HubTLS?) -> (String, String) {
        func url(_ host: String) -> String {
            URLParts(scheme: tls == nil ? "http" : "https", host: host, port: port, path: "/graphql").description
        }
        guard let tls, host == "0.0.0.0" || host == "::" else { return (url(host), url(host)) }
        // Listening everywhere is no address: the certificate's first name is one.
        return (url(tls.certificate.names.first ?? host), url("127.0.0.1"))
    }

    /// Calls `body` on the thread that commits, as soon as that is free: a hub that hangs never does.
    public func whenAlive(_ body: @escaping @Sendable () -> Void) { worker.whenAlive(body) }

    /// Answers what was taken, closes every connection with 1011 so that clients come back, and frees the directory.
    public func stop() async {
        let timers = timers.withLock { timers in
            defer { timers = [] }
            return timers
        }
        for timer in timers { timer.cancel() }
        let worker = worker
        let server = server
        let enrolment = enrolment
        let schemas = schemas
        let deliveries = deliveries
        let identity = identity
        await withCheckedContinuation { continuation in
            // Both wait for threads; neither may hold up Swift's pool.
            let stopper = ThreadExecutor(name: "hub-stop")
            stopper.async {
                worker.stop()
                schemas.stop()
                deliveries.stop()
                server.stop()
                enrolment.stop()
                identity.stop()
                continuation.resume()
            }
        }
        lock.withLock { $0 = nil }
    }
}
