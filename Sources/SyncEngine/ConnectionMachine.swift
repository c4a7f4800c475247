import Basics

/// The realtime connection: opens it, has it acknowledged and its subscriptions started, watches that it lives, and comes
/// back after a loss.
///
/// Every state but `stopped` sets a deadline that leaves it.
package struct ConnectionMachine: Sendable {
    package enum State: Sendable, Hashable {
        case stopped
        /// The socket is being opened.
        case opening(socket: Int)
        /// It is open; `connection_init` was sent.
        case acknowledging(socket: Int)
        /// The subscriptions that were not answered yet.
        case subscribing(socket: Int, pending: Set<String>)
        case live(socket: Int)
        /// After a loss, before the next try.
        case waiting
        /// The backend refuses the credentials, or this device its certificate.
        case paused(reason: String)
    }

    package enum Event: Sendable, Hashable {
        case start
        case stop
        case opened(socket: Int)
        /// With the ids of the subscriptions to start.
        case acknowledged(timeout: Int64, subscriptions: Set<String>)
        /// A subscription was started, or refused: either way it is answered.
        case answered(subscription: String)
        /// Any frame came.
        case traffic
        /// The connection has been live for ``ConnectionMachine/steadyAfter``.
        case steady
        case closed(socket: Int, reason: String)
        /// The backend does not know the caller.
        case unauthorized(reason: String)
        /// Whoever answers is not the backend.
        case untrusted(socket: Int, reason: String)
        /// The backend ended something that this connection cannot be without.
        case broken(reason: String)
        case deadline
        /// There are other credentials, another scope or other signs of life: connect anew, now.
        case reconnect
    }

    package enum Action: Sendable, Hashable {
        case open(socket: Int)
        case close(socket: Int)
        case sendInit(socket: Int)
        case startSubscriptions(socket: Int)
        /// Nil takes the deadline away.
        case setDeadline(Int64?)
        case becameLive
        case lost(reason: String)
        case pause(reason: String)
        /// It is paused because of whoever answers there; said once, however often it is tried.
        case distrust(reason: String)
    }

    package private(set) var state: State = .stopped
    /// Failures in a row; 0 once it stays live. One that is lost again at once is no success: a backend that falls over what
    /// its clients fetch then would never be left time.
    package private(set) var attempt = 0
    /// Why the last connection ended.
    package private(set) var lastReason = ""
    private var sockets = 0
    /// Why whoever answered last was not believed.
    private var distrusted: String?
    private var keepAlive: Int64 = 300_000
    private let random: any RandomSource

    package init(random: any RandomSource) {
        self.random = random
    }

    /// The socket in use.
    package var socket: Int? {
        switch state {
        case .opening(let socket), .acknowledging(let socket), .subscribing(let socket, _), .live(let socket): socket
        case .stopped, .waiting, .paused: nil
        }
    }

    /// Whether changes arrive by themselves.
    package var isLive: Bool { if case .live = state { true } else { false } }
    /// Whether changes may arrive while there is still a gap behind them.
    package var isSubscribing: Bool { if case .subscribing = state { true } else { false } }

    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .start:
            guard state == .stopped else { return [] }
            attempt = 0
            return open()
        case .stop:
            defer { state = .stopped }
            return closing() + [.setDeadline(nil)]
        case .reconnect:
            guard state != .stopped else { return [] }
            attempt = 0
            return closing() + open()
        case .opened(let socket): return opened(socket)
        case .acknowledged(let timeout, let subscriptions): return acknowledged(timeout, subscriptions)
        case .answered(let subscription): return answered(subscription)
        case .traffic:
            guard isLive else { return [] }
            return [.setDeadline(keepAlive)]
        case .steady:
            if isLive { attempt = 0 }
            return []
        case .closed(let socket, let reason):
            // Late words about a socket that was given up already change nothing.
            guard socket == self.socket else { return [] }
            return wait(reason)
        case .unauthorized(let reason):
            guard state != .stopped else { return [] }
            let actions = closing()
            state = .paused(reason: reason)
            return actions + [
                .pause(reason: reason), .setDeadline(Backoff.paused.delay(attempt: 1, random: random)),
            ]
        case .untrusted(let socket, let reason):
            guard socket == self.socket else { return [] }
            let isNew = distrusted != reason
            distrusted = reason
            attempt += 1
            lastReason = reason
            state = .paused(reason: reason)
            return (isNew ? [.distrust(reason: reason)] : [])
                + [.setDeadline(Backoff.distrusted.delay(attempt: 1, random: random))]
        case .broken(let reason):
            guard socket != nil else { return [] }
            return closing() + wait(reason)
        case .deadline: return deadline()
        }
    }

    private mutating func opened(_ socket: Int) -> [Action] {
        guard state == .opening(socket: socket) else { return [] }
        distrusted = nil
        state = .acknowledging(socket: socket)
        return [.sendInit(socket: socket), .setDeadline(Self.answerLimit)]
    }

    private mutating func acknowledged(_ timeout: Int64, _ subscriptions: Set<String>) -> [Action] {
        guard case .acknowledging(let socket) = state else { return [] }
        keepAlive = min(max(timeout, Self.shortestKeepAlive), Self.longestKeepAlive)
        if subscriptions.isEmpty { return live(socket) }
        state = .subscribing(socket: socket, pending: subscriptions)
        return [.startSubscriptions(socket: socket), .setDeadline(Self.answerLimit)]
    }

    private mutating func answered(_ subscription: String) -> [Action] {
        guard case .subscribing(let socket, var pending) = state else { return [] }
        pending.remove(subscription)
        if pending.isEmpty { return live(socket) }
        state = .subscribing(socket: socket, pending: pending)
        return []
    }

    private mutating func live(_ socket: Int) -> [Action] {
        state = .live(socket: socket)
        return [.setDeadline(keepAlive), .becameLive]
    }

    private mutating func deadline() -> [Action] {
        switch state {
        case .stopped: return []
        case .waiting, .paused: return open()
        case .opening: return closing() + wait("no answer to the connection")
        case .acknowledging: return closing() + wait("the connection was not acknowledged")
        case .subscribing: return closing() + wait("the subscriptions were not answered")
        case .live: return closing() + wait("nothing was heard for too long")
        }
    }

    private mutating func open() -> [Action] {
        sockets += 1
        state = .opening(socket: sockets)
        return [.open(socket: sockets), .setDeadline(Self.answerLimit)]
    }

    private mutating func wait(_ reason: String) -> [Action] {
        attempt += 1
        lastReason = reason
        state = .waiting
        return [.lost(reason: reason), .setDeadline(Backoff.link.delay(attempt: attempt, random: random))]
    }

    private func closing() -> [Action] { socket.map { [.close(socket: $0)] } ?? [] }

    /// How long to wait for each step of a connection.
    package static let answerLimit: Int64 = 15_000
    /// How long a connection is live before those that failed are forgotten.
    package static let steadyAfter: Int64 = 30_000
    /// A backend that promises a sign of life in less than this is not believed.
    package static let shortestKeepAlive: Int64 = 1_000
    /// Backends send a sign of life each minute; AppSync's promise of five would leave a dead link unnoticed too long.
    package static let longestKeepAlive: Int64 = 90_000
}
