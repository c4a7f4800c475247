import Basics

/// Where and how a WebSocket client connects.
public struct WebSocketClientOptions: Sendable {
    /// The address with its query; `ws` or `http`, or with TLS `wss` or `https`.
    public var url: URLParts
    /// Whom to believe under TLS; the system's authorities where none is given.
    public var tls: TLSClientContext?
    /// Offered in this order.
    public var subprotocols: [String] = ["graphql-ws"]
    /// Added to the request.
    public var headers: HTTPHeaders = [:]
    /// How long connecting and the server's agreement may take together.
    public var connectMilliseconds: Int64 = 10_000
    /// A larger message closes the connection with 1009.
    public var maximumMessageBytes = 64 << 20

    /// Connects there with the usual limits.
    public init(_ url: URLParts) {
        self.url = url
    }
}

/// What happens to a WebSocket client, in this order: `opened`, any number of `text`, then `closed`; or only `failed`.
public enum WebSocketEvent: Sendable, Equatable {
    /// The server agreed; nil when it chose no subprotocol.
    case opened(subprotocol: String?)
    /// A text message; the bytes are valid UTF-8.
    case text([UInt8])
    /// The end: the server's close code, 1006 if the connection broke.
    case closed(code: UInt16, reason: String)
    /// It never opened.
    case failed(TransportError)
}

// Guard of @unchecked Sendable: all `var`s are touched on the loop's thread only.
/// One WebSocket connection to a server; to connect again make another.
public final class WebSocketClient: SocketOwner, @unchecked Sendable {
    private enum State {
        case connecting
        case open
        case closing
        case ended
    }

    private let core: LoopCore
    private let options: WebSocketClientOptions
    private var onEvent: (@Sendable (WebSocketEvent) -> Void)?
    private var state = State.connecting
    private var socket: Socket?
    private var parser = HTTPParser(.responses)
    private var decoder: WebSocketDecoder
    private var timer: LoopTimer?
    private var closeCode: UInt16 = 1006
    private var closeReason = ""
    private let key: String

    /// Begins to connect. `onEvent` is called on the loop's thread until its last event, after which it is let go.
    public init(
        loop: WebSocketLoop, options: WebSocketClientOptions, onEvent: @escaping @Sendable (WebSocketEvent) -> Void
    ) {
        core = loop.core
        self.options = options
        self.onEvent = onEvent
        decoder = WebSocketDecoder(expectsMask: false, maximumMessageBytes: options.maximumMessageBytes)
        key = Base64.encode((0..<16).map { _ in UInt8.random(in: 0...255) })
        let accepted = core.add(.closure { self.connect() })
        if !accepted { onEvent(.failed(.stopped)) }
    }

    /// The events as a stream; letting the stream go closes the connection.
    public static func connect(
        loop: WebSocketLoop, options: WebSocketClientOptions
    ) -> (client: WebSocketClient, events: AsyncStream<WebSocketEvent>) {
        let (stream, continuation) = AsyncStream<WebSocketEvent>.makeStream()
        let client = WebSocketClient(loop: loop, options: options) { event in
            continuation.yield(event)
            switch event {
            case .closed, .failed: continuation.finish()
            case .opened, .text: break
            }
        }
        continuation.onTermination = { reason in
            if case .cancelled = reason { client.close() }
        }
        return (client, stream)
    }

    /// Sends a text message. Dropped unless the connection is open.
    public func send(_ text: some Sequence<UInt8> & Sendable) {
        let frame = WebSocketFrame.encode(.text, text, mask: .random(in: 0 ... .max))
        core.perform {
            if case .open = self.state { self.socket?.send(frame) }
        }
    }

    /// Sends a text message. Dropped unless the connection is open.
    public func send(_ text: String) {
        send(Array(text.utf8))
    }

    /// Closes: after a close frame if it is open, at once if it is still connecting (then `failed(.cancelled)` comes).
    public func close(code: UInt16 = 1000, reason: String = "") {
        core.perform {
            switch self.state {
            case .connecting: self.fail(.cancelled)
            case .open:
                self.closeCode = code
                self.closeReason = reason
                self.sendClose(code, reason)
            case .closing, .ended: break
            }
        }
    }

    /// Cuts the connection without a close frame, as a lost network would.
    public func abort() {
        core.perform {
            if case .connecting = self.state { self.fail(.cancelled) } else { self.socket?.kill() }
        }
    }

    // MARK: On the loop's thread

    private func connect() {
        guard case .connecting = state else { return }
        var tls: TLSClientContext?
        if options.url.isSecure {
            do { tls = try .given(options.tls) } catch { return fail(error) }
        }
        timer = LoopTimer(core, milliseconds: options.connectMilliseconds, repeating: false) { [weak self] in
            self?.fail(.timedOut)
        }
        let socket = Socket(core: core, host: options.url.host, port: options.url.port, tls: tls, owner: self)
        if case .connecting = state { self.socket = socket }
    }

    func socketConnected(_ socket: Socket) {
        self.socket = socket
        guard case .connecting = state else { return socket.kill() }
        socket.send(
            WebSocketHandshake.request(
                options.url, key: key, subprotocols: options.subprotocols, headers: options.headers))
    }

    func socket(_ socket: Socket, received bytes: UnsafeRawBufferPointer) {
        switch state {
        case .connecting:
            parser.append(bytes)
            readAnswer()
        case .open, .closing:
            decoder.append(bytes)
            readFrames()
        case .ended: break
        }
    }

    private func readAnswer() {
        while case .connecting = state {
            switch parser.next() {
            case .needMore: return
            case .expectsContinue: break
            case .failure(_, let reason): fail(.protocolViolation(reason))
            case .message(let message):
                if message.status == 101 { return open(message.headers) }
                if message.status >= 200 { fail(.upgradeRefused(status: message.status)) }
            }
        }
    }

    private func open(_ headers: HTTPHeaders) {
        guard headers["sec-websocket-accept"] == WebSocketHandshake.acceptKey(key),
            headers.lists("websocket", in: "upgrade")
        else { return fail(.protocolViolation("the server's agreement to a WebSocket is wrong")) }
        let chosen = headers["sec-websocket-protocol"]
        if let chosen, !options.subprotocols.contains(chosen) {
            return fail(.protocolViolation("the server chose a subprotocol that was not offered"))
        }
        state = .open
        timer = nil
        onEvent?(.opened(subprotocol: chosen))
        let rest = parser.takeRest()
        if !rest.isEmpty {
            rest.withUnsafeBytes { decoder.append($0) }
            readFrames()
        }
    }

    private func readFrames() {
        while let socket, socket.isOpen, let event = decoder.next() {
            switch event {
            case .text(let text): onEvent?(.text(text))
            case .binary: failOpen(1003, "only text is understood")
            case .ping(let payload): if case .open = state { socket.send(encode(.pong, payload)) }
            case .pong: break
            case .close(let code, let reason):
                if case .open = state {
                    closeCode = code
                    closeReason = reason
                    sendClose(code == 1005 ? 1000 : code, "")
                }
                socket.closeAfterSending()
            case .failure(let code, let reason): failOpen(code, reason)
            }
        }
    }

    private func failOpen(_ code: UInt16, _ reason: String) {
        guard case .open = state else { return }
        closeCode = code
        closeReason = reason
        sendClose(code, reason)
        socket?.closeAfterSending()
    }

    private func sendClose(_ code: UInt16, _ reason: String) {
        state = .closing
        socket?.send(encode(.close, WebSocketFrame.closePayload(code: code, reason: reason)))
        timer = LoopTimer(core, milliseconds: 5_000, repeating: false) { [weak self] in self?.socket?.kill() }
    }

    private func encode(_ opcode: WebSocketFrame.Opcode, _ payload: [UInt8]) -> [UInt8] {
        WebSocketFrame.encode(opcode, payload, mask: .random(in: 0 ... .max))
    }

    func socketClosed(_ socket: Socket, reason: String?) {
        self.socket = nil
        switch state {
        case .connecting:
            if core.context == nil {
                fail(.stopped)
            } else if let failure = socket.failure {
                fail(failure)
            } else {
                fail(reason.map { .cannotConnect(options.url.hostAndPort, reason: $0) } ?? .connectionLost)
            }
        case .open, .closing:
            end(.closed(code: closeCode, reason: closeReason))
        case .ended: break
        }
    }

    private func fail(_ error: TransportError) {
        guard case .connecting = state else { return }
        end(.failed(error))
        socket?.kill()
    }

    private func end(_ event: WebSocketEvent) {
        state = .ended
        timer = nil
        let onEvent = onEvent
        self.onEvent = nil
        onEvent?(event)
    }
}
