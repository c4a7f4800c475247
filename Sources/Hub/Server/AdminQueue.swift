import Basics
import System
import Transport

/// A thread for what admins ask of the hub: one request after the other, a few waiting, the rest refused.
final class AdminQueue: Sendable {
    private static let mostWaiting = 8

    /// The thread.
    let executor: ThreadExecutor
    private let waiting = Locked(0)

    init(name: String) { executor = ThreadExecutor(name: name) }

    /// Has a request worked on in its turn.
    ///
    /// - Parameter work: runs on the thread and calls `answer` once, then or later, from anywhere
    func take(
        _ responder: HTTPResponder,
        _ work: @escaping @Sendable (_ answer: @escaping @Sendable (HTTPResponse) -> Void) -> Void
    ) {
        let isTaken = waiting.withLock { waiting in
            guard waiting < Self.mostWaiting else { return false }
            waiting += 1
            return true
        }
        guard isTaken else { return responder.respond(.overloaded) }
        executor.async { [self] in
            work { [self] response in
                waiting.withLock { $0 -= 1 }
                responder.respond(response)
            }
        }
    }

    func stop() { executor.stop() }
}
