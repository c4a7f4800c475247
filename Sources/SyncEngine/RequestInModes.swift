import Basics
import Models
import Transport

/// Why a request has no answer.
struct RequestFailure: Error {
    let reason: String
    /// Whether the backend may have done what was asked.
    let mayHaveArrived: Bool
}

extension RequestFailure {
    init(_ error: TransportError) { self.init(reason: "\(error)", mayHaveArrived: error.mayHaveArrived) }
}

/// One request that is tried with one provider's credentials after the other, until one is not refused.
final class RequestInModes: Sendable {
    typealias Completion = @Sendable (Result<HTTPResponse, RequestFailure>) -> Void
    /// Nil where that provider's credentials may not be shown for it.
    typealias Send = @Sendable (AuthProvider?, @escaping Completion) -> HTTPExchange?

    private struct State: Sendable {
        var rest: ArraySlice<AuthProvider>
        var exchange: HTTPExchange?
        var isCancelled = false
    }

    private let state: Locked<State>
    private let completion: Completion
    private let send: Send

    /// Without modes it is sent once, with the standard credentials.
    init(_ modes: [AuthProvider], _ completion: @escaping Completion, send: @escaping Send) {
        state = Locked(State(rest: modes[...]))
        self.completion = completion
        self.send = send
    }

    func begin() {
        let (mode, isLast) = state.withLock { ($0.rest.popFirst(), $0.rest.isEmpty) }
        let exchange = send(mode) { [self] result in
            if !isLast, case .success(let response) = result,
                HTTPAnswer(status: response.status, body: response.body).isRefusedAsUnauthorized
            {
                if !state.withLock({ $0.isCancelled }) { return begin() }
            }
            completion(result)
        }
        guard let exchange else {
            if !isLast { return begin() }
            return completion(
                .failure(RequestFailure(reason: "the credentials are another person's now", mayHaveArrived: false)))
        }
        let isCancelled = state.withLock { state in
            state.exchange = exchange
            return state.isCancelled
        }
        if isCancelled { exchange.cancel() }
    }

    /// Gives up; the completion hears `cancelled` unless the answer was faster.
    func cancel() {
        let exchange = state.withLock { state in
            state.isCancelled = true
            return state.exchange
        }
        exchange?.cancel()
    }
}
