import Basics

/// What kind of work a request was: the only label of what is measured by request, so that nothing a client sends makes
/// more of them.
package enum WorkKind: String, Sendable, CaseIterable {
    /// A query of anything else than changes.
    case query
    case mutation
    /// A query with a `sync…` field in it.
    case sync
    /// The start of a subscription.
    case subscribe
}

extension RunnableRequest {
    /// What it is measured as; nil where it is not carried out.
    var work: WorkKind? {
        switch operation.kind {
        case .mutation: return .mutation
        case .subscription: return nil
        case .query:
            let isSync = operation.roots(variables.json).contains { field in
                if case .root(let root) = field.definition.source { root.kind == .sync } else { false }
            }
            return isSync ? .sync : .query
        }
    }
}

/// Measures how long requests took, each from its own arrival to the moment at which its answer was handed to the sockets,
/// and says which were slow or failed by the hub's own fault. Safe from any thread.
final class RequestMeter: Sendable {
    /// A request that was answered.
    struct Answered: Sendable {
        let mark: RequestMark?
        /// Nil for what was refused before anything was carried out.
        let work: WorkKind?
        let status: Int
    }

    let timings = Locked(HubTimings())
    private let slowSeconds: Double
    private let log: Log
    private let time: any TimeSource
    private let slowLines: Locked<LogAllowance>
    private let failedLines: Locked<LogAllowance>

    /// - Parameter slowMilliseconds: a request that takes this long is logged; nil where none is.
    init(slowMilliseconds: Int64?, log: Log, time: any TimeSource) {
        slowSeconds = slowMilliseconds.map { Double($0) / 1000 } ?? .infinity
        self.log = log
        self.time = time
        slowLines = Locked(LogAllowance(at: time.uptime()))
        failedLines = Locked(LogAllowance(at: time.uptime()))
    }

    /// Notes requests whose answers have just been handed over.
    func answered(_ requests: [Answered]) {
        guard !requests.isEmpty else { return }
        let now = ContinuousClock.now
        timings.withLock { timings in
            for request in requests {
                guard let mark = request.mark, let work = request.work else { continue }
                timings.requests[work, default: Histogram()].add(mark.arrived.seconds(until: now))
            }
        }
        for request in requests {
            guard let mark = request.mark else { continue }
            let work = request.work?.rawValue ?? "none"
            let seconds = mark.arrived.seconds(until: now)
            if seconds >= slowSeconds {
                say(.notice, slowLines, "slow request kind=\(work) milliseconds=\(Int(seconds * 1000))", mark.id)
            }
            if request.status >= 500 {
                say(.warning, failedLines, "request not carried out kind=\(work) status=\(request.status)", mark.id)
            }
        }
    }

    func answered(_ mark: RequestMark?, _ work: WorkKind?, status: Int) {
        answered([Answered(mark: mark, work: work, status: status)])
    }

    private func say(_ level: LogLevel, _ allowance: Locked<LogAllowance>, _ text: String, _ id: String) {
        allowance.say(level, text, on: log, request: id, at: time.uptime())
    }
}

extension ContinuousClock.Instant {
    /// Seconds from then to another moment.
    func seconds(until end: ContinuousClock.Instant) -> Double {
        let passed = end - self
        return Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
    }

    /// Seconds from then to now.
    var seconds: Double { seconds(until: .now) }
}
