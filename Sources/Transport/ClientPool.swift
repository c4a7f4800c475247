import Basics

/// The connections of one `HTTPClient` and the requests that wait for one.
// Guard of @unchecked Sendable: touched on the loop's thread only.
final class ClientPool: @unchecked Sendable {
    let core: LoopCore
    let origin: URLParts
    let options: HTTPClientOptions
    let tls: TLSClientContext?
    private var idle: [ClientConnection] = []
    private var open: [ObjectIdentifier: ClientConnection] = [:]
    private var waiting: [HTTPExchange] = []
    private var closesIdle = false

    init(_ core: LoopCore, _ origin: URLParts, _ tls: TLSClientContext?, _ options: HTTPClientOptions) {
        self.core = core
        self.origin = origin
        self.tls = tls
        self.options = options
    }

    func start(_ exchange: HTTPExchange, _ timeout: Int64?) {
        guard core.context != nil else { return exchange.fail(.stopped) }
        exchange.timer = LoopTimer(core, milliseconds: timeout ?? options.totalMilliseconds, repeating: false) {
            exchange.fail(.timedOut)
        }
        waiting.append(exchange)
        serve()
    }

    /// Gives waiting requests to idle connections, and opens new ones.
    private func serve() {
        waiting.removeAll { $0.isFinished }
        while !waiting.isEmpty {
            if let connection = idle.popLast() {
                if connection.isUsable { connection.start(waiting.removeFirst()) }
            } else if open.count < options.maximumConnections {
                let connection = ClientConnection(self)
                open[ObjectIdentifier(connection)] = connection
                connection.start(waiting.removeFirst())
                connection.connect()
            } else {
                return
            }
        }
    }

    func becameIdle(_ connection: ClientConnection) {
        if closesIdle && waiting.isEmpty { return connection.kill() }
        idle.append(connection)
        serve()
    }

    func ended(_ connection: ClientConnection) {
        open[ObjectIdentifier(connection)] = nil
        idle.removeAll { $0 === connection }
        serve()
    }

    /// Nobody will send any more: connections close when their exchange is done.
    func closeIdle() {
        closesIdle = true
        for connection in idle { connection.kill() }
    }

    func close() {
        closesIdle = true
        let exchanges = waiting
        waiting = []
        for exchange in exchanges { exchange.fail(.stopped) }
        for connection in open.values { connection.stop() }
    }
}

/// One connection of a client: one exchange at a time.
// Guard of @unchecked Sendable: touched on the loop's thread only.
final class ClientConnection: SocketOwner, @unchecked Sendable {
    private let pool: ClientPool
    private var socket: Socket?
    private var parser: HTTPParser
    private var exchange: HTTPExchange?
    private var isConnected = false
    private var hasEnded = false
    private var timer: LoopTimer?

    init(_ pool: ClientPool) {
        self.pool = pool
        var limits = HTTPParser.Limits()
        limits.bodyBytes = pool.options.maximumBodyBytes
        parser = HTTPParser(.responses, limits: limits)
    }

    var isUsable: Bool { socket?.isOpen ?? false }

    func connect() {
        timer = LoopTimer(pool.core, milliseconds: pool.options.connectMilliseconds, repeating: false) { [weak self] in
            guard let self, !self.isConnected else { return }
            // libwebsockets does not report every attempt that leads nowhere, hence a limit of our own.
            let isNameless = self.socket?.isLookingUp ?? false
            let reason = isNameless ? "the name could not be looked up in time" : "no answer in time"
            self.exchange?.fail(.cannotConnect(self.pool.origin.hostAndPort, reason: reason))
            self.kill()
        }
        let socket = Socket(
            core: pool.core, host: pool.origin.host, port: pool.origin.port, tls: pool.tls, owner: self)
        if !hasEnded { self.socket = socket }
    }

    func start(_ exchange: HTTPExchange) {
        self.exchange = exchange
        exchange.connection = self
        if isConnected {
            timer = nil
            sendRequest(exchange.request)
        }
    }

    private func sendRequest(_ request: HTTPRequest) {
        parser.nextAnswerHasNoBody = request.method == "HEAD"
        let target = request.query.map { "\(request.path)?\($0)" } ?? request.path
        let inline = request.body.count <= 16 << 10
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128 + request.headers.bytes.count + (inline ? request.body.count : 0))
        bytes += "\(request.method) \(target) HTTP/1.1\r\nHost: \(pool.origin.hostAndPort)\r\n".utf8
        bytes += request.headers.bytes
        if !request.body.isEmpty || request.method == "POST" || request.method == "PUT" {
            bytes += "Content-Length: \(request.body.count)\r\n".utf8
        }
        bytes += [13, 10]
        if inline { bytes += request.body }
        socket?.send(bytes)
        if !inline { socket?.send(request.body) }
    }

    func socketConnected(_ socket: Socket) {
        self.socket = socket
        isConnected = true
        timer = nil
        if let exchange { sendRequest(exchange.request) } else { kill() }
    }

    func socket(_ socket: Socket, received bytes: UnsafeRawBufferPointer) {
        parser.append(bytes)
        while let exchange {
            switch parser.next() {
            case .needMore: return
            case .expectsContinue: break
            case .failure(_, let reason):
                exchange.fail(.protocolViolation(reason))
                return
            case .message(let message):
                // 100 Continue and its like announce an answer, they are none.
                if message.status < 200 { continue }
                finish(exchange, message)
            }
        }
        // Bytes that nobody asked for: the connection is out of step.
        if parser.isInsideMessage { kill() }
    }

    private func finish(_ exchange: HTTPExchange, _ message: HTTPParser.Message) {
        self.exchange = nil
        exchange.connection = nil
        let keep = message.keepsAlive
        if !keep { kill() }
        exchange.finish(.success(HTTPResponse(status: message.status, headers: message.headers, body: message.body)))
        // The completion may have started the next exchange on another connection, never on this one.
        guard keep, isUsable else { return }
        timer = LoopTimer(pool.core, milliseconds: pool.options.idleMilliseconds, repeating: false) { [weak self] in
            guard let self, self.exchange == nil else { return }
            self.kill()
        }
        pool.becameIdle(self)
    }

    func socketClosed(_ socket: Socket, reason: String?) {
        hasEnded = true
        self.socket = nil
        timer = nil
        if let exchange {
            self.exchange = nil
            exchange.connection = nil
            if pool.core.context == nil {
                exchange.fail(.stopped)
            } else if !isConnected, let failure = socket.failure {
                exchange.fail(failure)
            } else if !isConnected {
                exchange.fail(.cannotConnect(pool.origin.hostAndPort, reason: reason ?? "no server answers there"))
            } else if socket.endedWhole, let message = parser.finishAtClose() {
                exchange.finish(
                    .success(HTTPResponse(status: message.status, headers: message.headers, body: message.body)))
            } else {
                exchange.fail(.connectionLost)
            }
        }
        pool.ended(self)
    }

    /// The exchange was given up.
    func abandon(_ exchange: HTTPExchange) {
        guard self.exchange === exchange else { return }
        self.exchange = nil
        kill()
    }

    func stop() {
        exchange?.fail(.stopped)
        kill()
    }

    func kill() {
        socket?.kill()
    }
}
