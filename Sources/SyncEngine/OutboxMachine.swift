import Basics

/// The way out: decides when the next batch is taken from the outbox, how many are under way, and when to wait.
///
/// An idle machine sends at once, without gathering; what is saved while requests are under way goes with the next one.
package struct OutboxMachine: Sendable {
    package enum State: Sendable, Hashable {
        case stopped
        case ready
        /// The link failed; nothing is sent until the deadline or until the link is heard of.
        case waiting
        /// The backend refuses the credentials.
        case paused(reason: String)
    }

    package enum Event: Sendable, Hashable {
        case start
        case stop
        /// There may be something to send.
        case wake
        /// The store gave a batch, which is now under way.
        case took(request: Int, count: Int)
        /// The store has nothing to send now; something perhaps after so many milliseconds.
        case empty(retryAfter: Int64?)
        /// A request was answered and settled.
        case settled(request: Int)
        /// A request failed and its entries wait again.
        case failed(request: Int, retryAfter: Int64?)
        /// A request could not be read as a whole: its entries go one by one.
        case indigestible(request: Int, count: Int)
        case unauthorized(request: Int?, reason: String)
        /// The link was heard of.
        case linkUp
        case credentialsChanged
        case deadline
        /// The backend's announced batch size.
        case batchSize(Int)
    }

    package enum Action: Sendable, Hashable {
        /// Take at most so many entries; answer with `took` or `empty`.
        case take(limit: Int)
        case setDeadline(Int64?)
        case pause(reason: String)
    }

    package private(set) var state: State = .stopped
    /// Requests under way.
    package private(set) var inFlight: Set<Int> = []
    private var attempt = 0
    private var batchSize: Int
    /// So many entries still go one by one.
    private var single = 0
    private let maxInFlight: Int
    private let random: any RandomSource

    package init(batchSize: Int, maxInFlight: Int = 2, random: any RandomSource) {
        self.batchSize = batchSize
        self.maxInFlight = maxInFlight
        self.random = random
    }

    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .start:
            guard state == .stopped else { return [] }
            state = .ready
            attempt = 0
            return take()
        case .stop:
            state = .stopped
            inFlight.removeAll()
            single = 0
            return [.setDeadline(nil)]
        case .wake: return take()
        case .took(let request, let count):
            inFlight.insert(request)
            single = max(0, single - count)
            return take()
        case .empty(let retryAfter):
            guard state == .ready else { return [] }
            return [.setDeadline(retryAfter.map { max($0, 1) })]
        case .settled(let request):
            inFlight.remove(request)
            attempt = 0
            return take()
        case .failed(let request, let retryAfter):
            guard inFlight.remove(request) != nil, state == .ready || state == .waiting else { return [] }
            if state == .ready { attempt += 1 }
            state = .waiting
            return [.setDeadline(max(retryAfter ?? 0, Backoff.link.delay(attempt: attempt, random: random)))]
        case .indigestible(let request, let count):
            inFlight.remove(request)
            single += count
            return take()
        case .unauthorized(let request, let reason):
            if let request { inFlight.remove(request) }
            guard state != .stopped else { return [] }
            state = .paused(reason: reason)
            return [.pause(reason: reason), .setDeadline(Backoff.paused.delay(attempt: 1, random: random))]
        case .linkUp:
            guard state == .waiting else { return [] }
            state = .ready
            return take()
        case .credentialsChanged:
            switch state {
            case .stopped, .ready: return []
            case .waiting, .paused:
                state = .ready
                attempt = 0
                return take()
            }
        case .deadline:
            switch state {
            case .stopped: return []
            case .ready: return take()
            case .waiting, .paused:
                state = .ready
                return take()
            }
        case .batchSize(let size):
            batchSize = max(1, size)
            return []
        }
    }

    private func take() -> [Action] {
        guard state == .ready, inFlight.count < maxInFlight else { return [] }
        return [.take(limit: single > 0 ? 1 : batchSize)]
    }
}
