import Basics

/// The way in: fetches each model's changes page by page, in the order given, some models at a time, and again whenever
/// there may be a gap.
package struct PullMachine: Sendable {
    package enum State: Sendable, Hashable {
        case stopped
        /// Everything was fetched; the deadline starts the next round.
        case idle
        case pulling
        /// The link failed; what is left goes on after the deadline or when the link is heard of.
        case waiting
        /// The backend refuses the credentials.
        case paused(reason: String)
    }

    package enum Event: Sendable, Hashable {
        case start
        case stop
        /// Fetch these models' changes from their marks, in this order; those under way are fetched once more after.
        case round([String])
        /// The request for a model's next page is under way.
        case requested(request: Int, model: String)
        /// A page was applied.
        case page(request: Int, isLast: Bool)
        /// A page came, and its successor was asked for already.
        case handedOver(from: Int, to: Int)
        /// The model cannot be fetched now, the others can: it has its turn in the next round.
        case skipped(request: Int)
        case failed(request: Int, retryAfter: Int64?)
        case unauthorized(request: Int, reason: String)
        case linkUp
        case credentialsChanged
        case deadline
    }

    package enum Action: Sendable, Hashable {
        /// Ask for the model's next page by its mark; answer with `requested`.
        case request(model: String)
        /// The model is complete, for now.
        case finished(model: String)
        /// All are.
        case roundFinished
        /// The time between rounds is over: start one.
        case startRound
        case setDeadline(Int64?)
        case pause(reason: String)
    }

    package private(set) var state: State = .stopped
    /// Models that wait for their turn.
    package private(set) var queue: [String] = []
    /// Models under way, by request.
    package private(set) var active: [Int: String] = [:]
    /// Models whose request is about to be made.
    private var claimed: Set<String> = []
    private var attempt = 0
    private let window: Int
    /// Milliseconds between rounds while nothing is lost.
    package var interval: Int64
    private let random: any RandomSource

    package init(window: Int = 3, interval: Int64, random: any RandomSource) {
        self.window = window
        self.interval = interval
        self.random = random
    }

    /// Whether a model's changes may still come by a page; events of it wait meanwhile.
    package func isPending(_ model: String) -> Bool {
        queue.contains(model) || claimed.contains(model) || active.values.contains(model)
    }

    /// How many models are not complete.
    package var pendingCount: Int {
        Set(queue).union(claimed).union(active.values).count
    }

    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .start:
            guard state == .stopped else { return [] }
            state = .idle
            return [.setDeadline(interval)]
        case .stop:
            self = PullMachine(window: window, interval: interval, random: random)
            return [.setDeadline(nil)]
        case .round(let models):
            guard state != .stopped else { return [] }
            queue = models
            if case .paused = state { return [] }
            state = .pulling
            attempt = 0
            return [.setDeadline(nil)] + advance()
        case .requested(let request, let model):
            claimed.remove(model)
            active[request] = model
            return []
        case .page(let request, let isLast):
            guard let model = active.removeValue(forKey: request) else { return [] }
            attempt = 0
            if state == .waiting { state = .pulling }
            if isLast { return finish(model) }
            guard state == .pulling else {
                if !queue.contains(model) { queue.insert(model, at: 0) }
                return []
            }
            claimed.insert(model)
            return [.request(model: model)]
        case .handedOver(let from, let to):
            guard let model = active.removeValue(forKey: from) else { return [] }
            attempt = 0
            active[to] = model
            return []
        case .skipped(let request):
            guard active.removeValue(forKey: request) != nil else { return [] }
            if state == .waiting { state = .pulling }
            return advance()
        case .failed(let request, let retryAfter):
            guard let model = active.removeValue(forKey: request) else { return [] }
            if !queue.contains(model) { queue.insert(model, at: 0) }
            guard state == .pulling || state == .waiting else { return [] }
            if state == .pulling { attempt += 1 }
            state = .waiting
            return [.setDeadline(max(retryAfter ?? 0, Backoff.link.delay(attempt: attempt, random: random)))]
        case .unauthorized(let request, let reason):
            guard let model = active.removeValue(forKey: request), state != .stopped else { return [] }
            if !queue.contains(model) { queue.insert(model, at: 0) }
            state = .paused(reason: reason)
            return [.pause(reason: reason), .setDeadline(Backoff.paused.delay(attempt: 1, random: random))]
        case .linkUp:
            guard state == .waiting else { return [] }
            return resume()
        case .credentialsChanged:
            switch state {
            case .stopped, .idle, .pulling: return []
            case .waiting, .paused:
                attempt = 0
                return resume()
            }
        case .deadline:
            switch state {
            case .stopped, .pulling: return []
            case .idle: return [.startRound]
            case .waiting, .paused: return resume()
            }
        }
    }

    private mutating func resume() -> [Action] {
        state = .pulling
        return [.setDeadline(nil)] + advance()
    }

    private mutating func finish(_ model: String) -> [Action] {
        queue.contains(model) ? advance() : [.finished(model: model)] + advance()
    }

    /// Asks for what the window has room for; a model is never asked for twice at a time.
    private mutating func advance() -> [Action] {
        guard state == .pulling else { return [] }
        var actions: [Action] = []
        while active.count + claimed.count < window,
            let next = queue.firstIndex(where: { !claimed.contains($0) && !active.values.contains($0) })
        {
            let model = queue.remove(at: next)
            claimed.insert(model)
            actions.append(.request(model: model))
        }
        if active.isEmpty, claimed.isEmpty, queue.isEmpty {
            state = .idle
            actions += [.roundFinished, .setDeadline(interval)]
        }
        return actions
    }
}
