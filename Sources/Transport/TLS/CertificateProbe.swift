import Basics
import Crypto

/// Learns which certificate a server presents, without believing it and without sending anything.
public enum CertificateProbe {
    /// The certificates that a server presents, its own first.
    ///
    /// - Throws: ``TransportError`` where nobody answers there, or without TLS.
    public static func chain(
        loop: WebSocketLoop, host: String, port: Int, timeoutMilliseconds: Int64 = 10_000
    ) async throws(TransportError) -> [Certificate] {
        let context = try TLSClientContext(trust: .anyone)
        let result: Result<[Certificate], TransportError> = await withCheckedContinuation { continuation in
            let probe = Probe(loop.core, "\(host):\(port)") { continuation.resume(returning: $0) }
            let isTaken = loop.execute { probe.start(host, port, context, timeoutMilliseconds) }
            if !isTaken { probe.finish(.failure(.stopped)) }
        }
        return try result.get()
    }
}

// Guard of @unchecked Sendable: touched on the loop's thread only, or by its maker where the loop has ended.
private final class Probe: SocketOwner, @unchecked Sendable {
    private let core: LoopCore
    private let address: String
    private var completion: ((Result<[Certificate], TransportError>) -> Void)?
    private var timer: LoopTimer?

    init(_ core: LoopCore, _ address: String, _ completion: @escaping (Result<[Certificate], TransportError>) -> Void) {
        self.core = core
        self.address = address
        self.completion = completion
    }

    func start(_ host: String, _ port: Int, _ context: TLSClientContext, _ limit: Int64) {
        // The timer keeps the probe until it has an answer.
        timer = LoopTimer(core, milliseconds: limit, repeating: false) { self.finish(.failure(.timedOut)) }
        _ = Socket(core: core, host: host, port: port, tls: context, owner: self)
    }

    func finish(_ result: Result<[Certificate], TransportError>) {
        let completion = completion
        self.completion = nil
        timer = nil
        completion?(result)
    }

    func socketConnected(_ socket: Socket) {
        finish(.success(socket.peerChain))
        socket.kill()
    }

    func socket(_ socket: Socket, received bytes: UnsafeRawBufferPointer) {}

    func socketClosed(_ socket: Socket, reason: String?) {
        let error = socket.failure ?? reason.map { .cannotConnect(address, reason: $0) } ?? .connectionLost
        finish(.failure(error))
    }
}
