import Basics
import Synchronization

/// Limits of a client.
public struct HTTPClientOptions: Sendable {
    /// How many connections may be open at a time; further requests wait for one.
    public var maximumConnections = 4
    /// How long connecting may take.
    public var connectMilliseconds: Int64 = 10_000
    /// How long an exchange may take, waiting for a connection included, unless the call says otherwise.
    public var totalMilliseconds: Int64 = 60_000
    /// A connection unused for this long is closed; less than what servers allow.
    public var idleMilliseconds: Int64 = 45_000
    /// A larger answer fails the exchange.
    public var maximumBodyBytes = 256 << 20

    /// The usual limits.
    public init() {}
}

/// An HTTP/1.1 client of one server, with kept-alive connections.
///
/// Several clients may share a loop. A client that is let go finishes what it was given.
public final class HTTPClient: Sendable {
    private let core: LoopCore
    private let loop: WebSocketLoop
    private let pool: ClientPool

    /// Makes a client; nothing is connected before the first request. Of the origin the scheme, host and port are used.
    ///
    /// - Parameter tls: whom to believe where the scheme is `https`; the system's authorities where none is given
    public init(
        loop: WebSocketLoop, origin: URLParts, tls: TLSClientContext? = nil,
        options: HTTPClientOptions = HTTPClientOptions()
    ) throws(TransportError) {
        self.loop = loop
        core = loop.core
        pool = ClientPool(core, origin, origin.isSecure ? try .given(tls) : nil, options)
    }

    deinit {
        let pool = pool
        core.perform { pool.closeIdle() }
    }

    /// Sends a request and hands the answer, whatever its status, to `completion` on the loop's thread, exactly once.
    ///
    /// Failures are not retried here: after `connectionLost` and `timedOut` the server may have done what was asked.
    @discardableResult
    public func send(
        _ request: HTTPRequest, timeoutMilliseconds: Int64? = nil,
        completion: @escaping @Sendable (Result<HTTPResponse, TransportError>) -> Void
    ) -> HTTPExchange {
        let exchange = HTTPExchange(core, request, completion)
        let pool = pool
        if core.isCurrent {
            pool.start(exchange, timeoutMilliseconds)
        } else if !core.add(.closure { pool.start(exchange, timeoutMilliseconds) }) {
            // The thread has ended, so nobody else touches the exchange.
            exchange.fail(.stopped)
        }
        return exchange
    }

    /// Sends a request and waits for the answer; cancelling the task ends the exchange at once.
    public func send(
        _ request: HTTPRequest, timeoutMilliseconds: Int64? = nil
    ) async throws(TransportError) -> HTTPResponse {
        let cancellation = ExchangeCancellation()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let exchange = send(request, timeoutMilliseconds: timeoutMilliseconds) {
                    continuation.resume(returning: $0)
                }
                cancellation.attach(exchange)
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try result.get()
    }

    /// Ends every exchange with `stopped` and closes the connections.
    public func close() {
        let pool = pool
        core.perform { pool.close() }
    }
}

// Guard of @unchecked Sendable: `completion`, `timer` and `connection` are touched on the loop's thread only.
/// One request on its way. Keep it to be able to cancel.
public final class HTTPExchange: @unchecked Sendable {
    let request: HTTPRequest
    private let core: LoopCore
    private var completion: (@Sendable (Result<HTTPResponse, TransportError>) -> Void)?
    var timer: LoopTimer?
    weak var connection: ClientConnection?

    init(
        _ core: LoopCore, _ request: HTTPRequest,
        _ completion: @escaping @Sendable (Result<HTTPResponse, TransportError>) -> Void
    ) {
        self.core = core
        self.request = request
        self.completion = completion
    }

    var isFinished: Bool { completion == nil }

    /// Gives up; the completion hears `cancelled` unless the answer was faster.
    public func cancel() {
        core.perform { self.fail(.cancelled) }
    }

    func fail(_ error: TransportError) {
        guard !isFinished else { return }
        let connection = connection
        finish(.failure(error))
        // An answer that comes too late would be taken for the next request's.
        connection?.abandon(self)
    }

    func finish(_ result: Result<HTTPResponse, TransportError>) {
        guard let completion else { return }
        self.completion = nil
        connection = nil
        timer?.cancel()
        timer = nil
        completion(result)
    }
}

/// Ties a task's cancellation, which may come at any moment, to an exchange that may not exist yet.
private final class ExchangeCancellation: Sendable {
    private let state = Mutex<(exchange: HTTPExchange?, cancelled: Bool)>((nil, false))

    func attach(_ exchange: HTTPExchange) {
        let cancelled = state.withLock { state in
            state.exchange = exchange
            return state.cancelled
        }
        if cancelled { exchange.cancel() }
    }

    func cancel() {
        let exchange = state.withLock { state in
            state.cancelled = true
            return state.exchange
        }
        exchange?.cancel()
    }
}
