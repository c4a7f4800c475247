import Glibc

/// What a server does with what comes in. Every function is called on the loop's thread and must not block.
public protocol HTTPServerHandler: AnyObject, Sendable {
    /// A whole request came; answer it now or later, from any thread, exactly once.
    func request(_ request: HTTPRequest, _ responder: HTTPResponder)
    /// A client has become a WebSocket; `request` is what it asked with (its query, its header fields).
    func opened(_ socket: WebSocketConnection, _ request: HTTPRequest)
    /// A text message came; the bytes are valid UTF-8.
    func received(_ socket: WebSocketConnection, _ text: [UInt8])
    /// The connection has ended: 1006 if without a close frame. Called once for each `opened`.
    func closed(_ socket: WebSocketConnection, code: UInt16, reason: String)
}

extension HTTPServerHandler {
    /// Nothing happens.
    public func opened(_ socket: WebSocketConnection, _ request: HTTPRequest) {}
    /// Nothing happens.
    public func received(_ socket: WebSocketConnection, _ text: [UInt8]) {}
    /// Nothing happens.
    public func closed(_ socket: WebSocketConnection, code: UInt16, reason: String) {}
}

/// Limits and paths of a server.
public struct HTTPServerOptions: Sendable {
    /// Where clients may become WebSockets; elsewhere such a request is an ordinary one.
    public var webSocketPaths: Set<String> = ["/graphql", "/graphql/realtime"]
    /// The subprotocols that are answered if the client offered them; the first of these wins.
    public var subprotocols = ["graphql-ws"]
    /// A larger request body is answered with 413.
    public var maximumBodyBytes = 8 << 20
    /// A larger WebSocket message closes the connection with 1009.
    public var maximumMessageBytes = 8 << 20
    /// A WebSocket that has more than this to send is closed with 1011 at once: its reader is too slow.
    public var maximumQueuedBytes = 64 << 20
    /// A WebSocket that has more than this to send for ``slowMilliseconds`` is closed with 1011: it reads, if at all, not
    /// as fast as there is news. A burst that it reads in that time is none of its faults.
    public var slowBytes = 4 << 20
    /// Another code than 1011 for slow readers, by subprotocol.
    public var slowCloseCodes: [String: UInt16] = [:]
    /// How long a WebSocket may have more than ``slowBytes`` to send.
    public var slowMilliseconds: Int64 = 10_000
    /// When the messages and answers that wait for all readers together are larger than this, those who have much waiting
    /// are closed at once: a WebSocket that is to get more, else whoever has been reading, or not, for longest. A message
    /// to many is held, and counted, once.
    public var maximumHeldBytes = 256 << 20
    /// Where answers are counted, and what is compared with that.
    var held = HeldBytes.Sum.process
    /// A connection without a request for this long is closed.
    public var idleMilliseconds: Int64 = 120_000
    /// A request, and a WebSocket message, must be whole in this time after its first byte.
    public var requestMilliseconds: Int64 = 60_000
    /// The start line and the header fields must be whole in this time; shorter, since no honest client takes long.
    public var headMilliseconds: Int64 = 20_000
    /// TLS must be agreed on in this time after the connection was made.
    public var handshakeMilliseconds: Int64 = 10_000
    /// More connections than this are closed at once, or fewer where the system lets the process have fewer; see
    /// ``DescriptorLimit``.
    public var maximumConnections = 10_000
    /// What one address may do; this machine's own addresses may do anything.
    public var perAddress = AddressLimits()
    /// Requests that are not answered, also where their clients have gone, and messages that are not whole yet may hold
    /// this much together; who exceeds it is closed.
    public var maximumIncomingBytes = 256 << 20
    /// Names each request by its header fields, or by none where it could not be read: the name goes back in
    /// ``requestIDField`` of whatever answers it, an upgrade and a refusal too, and is the request's ``HTTPRequest/id``.
    public var requestID: (@Sendable (HTTPHeaders) -> String)?
    /// Where a request's name stands in its answer.
    public var requestIDField = "x-amzn-requestid"

    /// The usual limits.
    public init() {}
}

/// An HTTP/1.1 and WebSocket server with a loop of its own. Without TLS bind it to loopback only.
public final class HTTPServer: Sendable {
    /// The server's loop, for timers and for work that belongs to its connections.
    public let loop: WebSocketLoop
    /// The port that is listened on; the system's choice if 0 was asked for.
    public let port: Int
    /// The host that was asked for.
    public let host: String

    /// Starts listening. Requests are taken when this returns.
    public init(
        host: String = "127.0.0.1", port: Int = 0, tls: TLSServerContext? = nil, handler: any HTTPServerHandler,
        options: HTTPServerOptions = HTTPServerOptions(), threadName: String = "server"
    ) throws(TransportError) {
        // A connection is a descriptor: what would come beyond those that there are could not even be turned away.
        DescriptorLimit.raise(forConnections: options.maximumConnections)
        var options = options
        options.maximumConnections = DescriptorLimit.connections(of: options.maximumConnections)
        let limited = options
        loop = try WebSocketLoop(name: threadName, listener: ListenerAddress(host: host, port: port)) { core in
            core.secures = tls
            ServerHub(core, handler: handler, options: limited).start()
        }
        self.host = host
        self.port = loop.core.port
    }

    /// Stops listening, cuts every connection and waits for the thread's end.
    public func stop() {
        loop.stop()
    }

    /// Sends one message to many connections; it is encoded and held once.
    public func broadcast(_ frame: WebSocketFrame, to connections: [WebSocketConnection]) {
        loop.core.perform { for connection in connections { connection.connection.send(frame) } }
    }
}

/// Where the answer to one request goes. May be used from any thread; the first answer counts.
public struct HTTPResponder: Sendable {
    let connection: ServerConnection
    let number: UInt64
    let core: LoopCore
    /// What the request holds for as long as somebody can answer it.
    let taken: TakenBytes.Share

    /// Sends the answer. Nothing happens if the client has gone.
    public func respond(_ response: HTTPResponse) {
        let responder = self
        core.perform { responder.give(response) }
    }

    /// Sends the answer, on the loop's thread.
    func give(_ response: HTTPResponse) {
        taken.release()
        connection.respond(response, to: number)
    }
}

/// A client's WebSocket. May be used from any thread; what is sent from one thread arrives in order.
public final class WebSocketConnection: Sendable, Hashable {
    /// Names this connection; never given twice by one server.
    public let id: UInt64
    /// The subprotocol that was agreed on, nil where the client offered none that is known.
    public let subprotocol: String?
    let connection: ServerConnection
    let core: LoopCore

    init(id: UInt64, subprotocol: String?, connection: ServerConnection, core: LoopCore) {
        self.id = id
        self.subprotocol = subprotocol
        self.connection = connection
        self.core = core
    }

    /// Sends a text message.
    public func send(_ text: String) {
        send(WebSocketFrame(text))
    }

    /// Sends a message that may also go to others.
    public func send(_ frame: WebSocketFrame) {
        let connection = connection
        core.perform { connection.send(frame) }
    }

    /// Sends a close frame after what is queued, and ends the connection.
    public func close(code: UInt16 = 1000, reason: String = "") {
        let connection = connection
        core.perform { connection.close(code: code, reason: reason) }
    }

    /// How many bytes wait to be sent. Must be called on the loop's thread.
    public var queuedBytes: Int {
        precondition(core.isCurrent, "not on the loop's thread")
        return connection.queuedBytes
    }

    /// Equal if it is the same connection.
    public static func == (a: WebSocketConnection, b: WebSocketConnection) -> Bool { a === b }

    /// Hashes the id.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(id)
    }
}
