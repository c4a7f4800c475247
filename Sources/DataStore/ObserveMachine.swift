import Models

/// The reader's side of a stream: at most one waits, what comes meanwhile is gathered by `Pending`.
///
/// A pure machine: the caller holds a lock around it and resumes the continuation it returns after letting go.
struct ReaderMachine<Element: Sendable, Failure: Error>: Sendable {
    typealias Waiter = CheckedContinuation<Result<Element?, Failure>, Never>

    private enum State {
        /// Nobody waits.
        case open
        /// A reader waits.
        case waiting(Waiter)
        /// Over: every reader gets the failure once, then the end.
        case finished(Failure?)
    }

    private var state = State.open

    /// Whether somebody waits right now.
    var isWaiting: Bool { if case .waiting = state { true } else { false } }
    /// Whether it is over.
    var isFinished: Bool { if case .finished = state { true } else { false } }

    /// Lets a reader wait; gives the reader to resume at once with its result, where there is one.
    mutating func wait(_ waiter: Waiter) -> (Waiter, Result<Element?, Failure>)? {
        switch state {
        case .open:
            state = .waiting(waiter)
            return nil
        case .waiting(let older):
            // A second reader takes the first one's place; the first sees the end.
            state = .waiting(waiter)
            return (older, .success(nil))
        case .finished(let failure):
            state = .finished(nil)
            return (waiter, failure.map { .failure($0) } ?? .success(nil))
        }
    }

    /// Takes the waiting reader, to give it an element.
    mutating func takeWaiter() -> Waiter? {
        guard case .waiting(let waiter) = state else { return nil }
        state = .open
        return waiter
    }

    /// Ends the stream; gives the waiting reader and what it gets.
    mutating func finish(_ failure: Failure? = nil) -> (Waiter, Result<Element?, Failure>)? {
        switch state {
        case .open:
            state = .finished(failure)
            return nil
        case .waiting(let waiter):
            state = .finished(nil)
            return (waiter, failure.map { .failure($0) } ?? .success(nil))
        case .finished: return nil
        }
    }
}
