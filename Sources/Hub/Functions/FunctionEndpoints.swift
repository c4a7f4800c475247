import Basics
import Transport

/// The HTTP endpoints among the functions, each with its own connections on one loop.
final class FunctionEndpoints: Sendable {
    private let loop: WebSocketLoop
    private let clients: [String: HTTPClient]

    /// Nil where no function is an endpoint.
    ///
    /// - Throws: `TransportError` where an address cannot be reached by this build.
    init?(_ functions: [FunctionDefinition]) throws {
        let places = functions.compactMap { function -> (FunctionDefinition, URLParts)? in
            if case .endpoint(let url) = function.target { (function, url) } else { nil }
        }
        guard !places.isEmpty else { return nil }
        loop = try WebSocketLoop(name: "hub-fn-link")
        var clients: [String: HTTPClient] = [:]
        for (function, url) in places {
            var options = HTTPClientOptions()
            options.maximumConnections = function.concurrency
            options.connectMilliseconds = min(5_000, function.timeoutMilliseconds)
            options.totalMilliseconds = function.timeoutMilliseconds
            // Less than the five seconds after which common servers close a connection that nobody uses.
            options.idleMilliseconds = 4_000
            options.maximumBodyBytes = function.answerLimit
            do throws(TransportError) {
                clients[function.name] = try HTTPClient(loop: loop, origin: url, options: options)
            } catch {
                loop.stop()
                throw HubError("the function \(function.name): \(error)")
            }
        }
        self.clients = clients
    }

    /// Posts a payload; nil where the function is none of these.
    func send(
        _ payload: [UInt8], to function: FunctionDefinition,
        completion: @escaping @Sendable (FunctionOutcome) -> Void
    ) -> HTTPExchange? {
        guard let client = clients[function.name], case .endpoint(let url) = function.target else {
            completion(.failure(.unreachable("it is no endpoint")))
            return nil
        }
        let request = HTTPRequest(
            path: url.path, query: url.query,
            headers: [
                "Content-Type": "application/json", "Accept": "application/json", "User-Agent": "bincount-hub",
                "X-Bincount-Function": function.name,
            ], body: payload)
        let limit = function.answerLimit
        return client.send(request, timeoutMilliseconds: function.timeoutMilliseconds) {
            completion(Self.read($0, limit: limit))
        }
    }

    static func read(_ result: Result<HTTPResponse, TransportError>, limit: Int) -> FunctionOutcome {
        switch result {
        case .success(let response):
            guard (200..<300).contains(response.status) else {
                let complaint = printable(FunctionProgram.firstLine(response.body))
                return .failure(.failed("status \(response.status)" + (complaint.isEmpty ? "" : ": \(complaint)")))
            }
            return FunctionProgram.answer(response.body, limit: limit)
        case .failure(.timedOut): return .failure(.timedOut)
        case .failure(.stopped), .failure(.cancelled): return .failure(.stopped)
        case .failure(let error): return .failure(.unreachable(error.description))
        }
    }

    func stop() {
        for client in clients.values { client.close() }
        loop.stop()
    }
}
