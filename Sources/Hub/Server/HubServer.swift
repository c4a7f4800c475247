import AppSync
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

    private let tls: HubTLS?
    private let enrolment: EnrolmentDesk
    private let schemas: SchemaDesk
    private let worker: HubWorker
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
    /// - Throws: what ``start(_:)`` would.
    public static func check(_ options: HubOptions) throws {
        let tls = try HubTLS(
            options.certificate, dataDirectory: options.dataDirectory, time: options.time, log: options.log)
        guard tls != nil || options.isLoopback else { throw HubError("beyond this machine the hub speaks TLS only") }
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
        let identity = HubIdentity(options)
        self.identity = identity
        let enrolment = EnrolmentDesk(
            dataDirectory: options.dataDirectory, tls: tls, time: options.time, log: options.log
        ) { device, groups, completion in
            identity.service.makeKey(forDevice: device, groups: groups) { completion($0.map(\.key)) }
        }
        self.enrolment = enrolment
        let worker = try HubWorker(options, identity.authenticator)
        self.worker = worker
        let schemas = SchemaDesk(worker, identity.authenticator, options)
        self.schemas = schemas
        do {
            try identity.open(path: options.dataDirectory + "/hub.sqlite") { worker.add(.recheck) }
            // Where there is TLS, terminals may enrol.
            guard !options.keys.isEmpty || !identity.service.isEmpty || tls != nil else {
                throw HubError(
                    "nobody could use the hub: make a key with `bincount hub key add`, or give one with --api-key-file "
                        + "or BINCOUNT_API_KEY")
            }
            server = try HTTPServer(
                host: options.host, port: options.port, tls: tls?.server,
                handler: HubHandler(worker, identity, enrolment, schemas),
                options: HTTPServerOptions(realtime: options.limits), threadName: "hub-link")
        } catch {
            schemas.stop()
            identity.stop()
            worker.stop()
            throw error
        }
        identity.connect(server.loop)
        identity.connect(worker.functions, options.resolvers.authorizer)
        port = server.port
        (url, localURL) = Self.urls(options.host, server.port, tls)
        let timers = Locked<[LoopTimer]>([])
        self.timers = timers
        let loop = server.loop
        let period = options.keepAliveMilliseconds
        let delivers = worker.delivers
        loop.execute {
            var made = [
                loop.schedule(afterMilliseconds: period, repeating: true) { worker.add(.keepAlive) },
                loop.schedule(afterMilliseconds: 10_000, repeating: true) { worker.add(.prune) },
                loop.schedule(afterMilliseconds: 2_000, repeating: true) { tls?.poll() },
                loop.schedule(afterMilliseconds: 5_000, repeating: true) { worker.add(.sweep) },
                loop.schedule(afterMilliseconds: 500, repeating: true) {
                    identity.poll()
                    worker.add(.recheck)
                },
            ]
            if delivers { made.append(loop.schedule(afterMilliseconds: 1_000, repeating: true) { worker.add(.tick) }) }
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
        let identity = identity
        await withCheckedContinuation { continuation in
            // Both wait for threads; neither may hold up Swift's pool.
            let stopper = ThreadExecutor(name: "hub-stop")
            stopper.async {
                worker.stop()
                schemas.stop()
                server.stop()
                enrolment.stop()
                identity.stop()
                continuation.resume()
            }
        }
        lock.withLock { $0 = nil }
    }
}

/// Takes requests and frames from the link's thread and hands them to the worker.
private final class HubHandler: HTTPServerHandler {
    private let worker: HubWorker
    private let identity: HubIdentity
    private let enrolment: EnrolmentDesk
    private let schemas: SchemaDesk

    init(
        _ worker: HubWorker, _ identity: HubIdentity, _ enrolment: EnrolmentDesk, _ schemas: SchemaDesk
    ) {
        self.schemas = schemas
        self.worker = worker
        self.identity = identity
        self.enrolment = enrolment
    }

    func request(_ request: HTTPRequest, _ responder: HTTPResponder) {
        switch (request.method, request.path) {
        case ("POST", "/graphql"): graphQL(request, Self.body(ofPost: request), responder)
        case ("GET", "/graphql"): graphQL(request, Self.body(ofQuery: request), isReadOnly: true, responder)
        case ("POST", "/login"), ("POST", "/login/refresh"): identity.answer(request, responder)
        case ("GET", "/health"):
            let health = worker.health
            responder.respond(
                HTTPResponse(
                    status: health.status, headers: ["content-type": "application/json"], body: health.json.bytes))
        case ("GET", "/health/live"): worker.whenAlive { responder.respond(.text(200, "alive\n")) }
        case ("GET", "/metrics"): responder.respond(.text(200, worker.metrics))
        case ("GET", "/schema"), ("POST", "/schema"):
            let schemas = schemas
            identity.whenReady(Credentials(request.headers), []) { schemas.answer(request, responder) }
        case ("POST", "/enrol"): enrolment.answer(request, responder)
        case (_, "/graphql"), (_, "/health"), (_, "/health/live"), (_, "/metrics"), (_, "/enrol"), (_, "/login"),
            (_, "/login/refresh"), (_, "/schema"):
            responder.respond(HTTPResponse(.error(405, ErrorType.malformedHTTPRequest, "Method not allowed.")))
        default:
            responder.respond(HTTPResponse(.error(404, ErrorType.malformedHTTPRequest, "There is nothing here.")))
        }
    }

    private func graphQL(
        _ request: HTTPRequest, _ body: [UInt8], isReadOnly: Bool = false, _ responder: HTTPResponder
    ) {
        let credentials = Credentials(request.headers)
        let worker = worker
        identity.whenReady(credentials, body) {
            let taken = worker.take(HubRequest(credentials, body: body, isReadOnly: isReadOnly), responder)
            if !taken { responder.respond(.overloaded) }
        }
    }

    /// A POST's body. As `application/graphql` AppSync takes JSON all the same; others send the bare document.
    private static func body(ofPost request: HTTPRequest) -> [UInt8] {
        guard let type = request.headers["content-type"],
            type.prefix(while: { $0 != ";" && $0 != " " }).lowercased() == "application/graphql",
            !request.body.isEmpty, (try? JSONValue(parsing: request.body)) == nil,
            let text = String(validating: request.body, as: UTF8.self)
        else { return request.body }
        return JSONValue.object(["query": .string(text)]).bytes
    }

    /// A GET's query as the body that a POST would have.
    private static func body(ofQuery request: HTTPRequest) -> [UInt8] {
        func value(_ name: String) -> String? { request.queryValue(name, plusIsSpace: true) }
        guard let query = value("query") else { return [] }
        var object: JSONObject = ["query": .string(query)]
        if let name = value("operationName") { object["operationName"] = .string(name) }
        if let text = value("variables") {
            guard let variables = try? JSONValue(parsing: text) else { return Array("{".utf8) }
            object["variables"] = variables
        }
        return JSONValue.object(object).bytes
    }

    func opened(_ socket: WebSocketConnection, _ request: HTTPRequest) {
        worker.add(.opened(socket, Self.credentials(request, socket.subprotocol)))
    }

    func received(_ socket: WebSocketConnection, _ text: [UInt8]) {
        worker.add(.received(socket, text))
    }

    func closed(_ socket: WebSocketConnection, code: UInt16, reason: String) {
        worker.add(.closed(socket))
    }

    /// The three ways in which clients deliver their authorisation object.
    private static func credentials(_ request: HTTPRequest, _ subprotocol: String?) -> RealtimeCredentials {
        guard subprotocol != nil else { return .noProtocol }
        let offered = request.headers.all("sec-websocket-protocol")
            .flatMap { $0.split(separator: ",") }.map { item in String(item.drop { $0 == " " }).trimmingSpaces }
        if let text = request.queryValue("header"), !text.isEmpty {
            return RealtimeAuthorization(base64: text).map { .object($0) } ?? .malformed
        }
        if offered.contains(where: { $0.hasPrefix("header-") }) {
            return RealtimeAuthorization(subprotocols: offered).map { .object($0) } ?? .malformed
        }
        var fields = JSONObject()
        for name in [HeaderName.apiKey, HeaderName.authorization, HeaderName.person, HeaderName.device] {
            if let value = request.headers[name] { fields[name] = .string(value) }
        }
        return .object(RealtimeAuthorization(fields))
    }
}

extension HTTPServerOptions {
    /// The hub's subprotocols, and what a realtime connection may cost.
    fileprivate init(realtime limits: HubLimits) {
        self.init()
        // Whoever offers both is no client of AppSync's.
        subprotocols = [GraphQLTransportFrame.subprotocolName, RealtimeAuthorization.subprotocolName]
        slowCloseCodes = [GraphQLTransportFrame.subprotocolName: GraphQLTransportFrame.CloseCode.tryAgainLater]
        maximumMessageBytes = limits.frameBytes
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
