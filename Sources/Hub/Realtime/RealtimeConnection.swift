import AppSync
import Basics

/// Which protocol a connection speaks, as its subprotocol says.
public enum RealtimeDialect: Sendable, Hashable {
    /// `graphql-ws` with AppSync's frames, or with those of Apollo's old library, which it grew from.
    case appSync
    /// `graphql-transport-ws`.
    case transport
}

/// One realtime connection as the registry knows it.
struct RealtimeConnection {
    let dialect: RealtimeDialect
    var credentials: RealtimeCredentials
    /// Names it in the log.
    let id: String?
    /// Where it comes from.
    var address: String?
    /// Uptime when it was opened.
    let openedAt: Int64
    var isAcknowledged = false
    /// Who connected; nil before that is known.
    var caller: Caller?
    /// The group of each subscription by its id.
    var subscriptions: [String: SubscriptionRegistry.GroupKey] = [:]
    /// Queries and mutations whose answers are waited for, by their ids.
    var operations: [String: UInt64] = [:]
    /// All that are under way, also those whose answers nobody waits for any more.
    var underWay: Set<UInt64> = []
    /// Fields that its events have hidden and the log has named: each once, however many events there are.
    var toldHidden: Set<AccessLog.Act> = []
    private var frames: FrameAllowance

    init(
        _ dialect: RealtimeDialect, _ credentials: RealtimeCredentials, _ limits: HubLimits, id: String? = nil,
        now: Int64
    ) {
        self.id = id
        self.dialect = dialect
        self.credentials = credentials
        openedAt = now
        frames = FrameAllowance(limits, now: now)
    }

    /// Whether one more frame may come now.
    mutating func takes(frameAt now: Int64) -> Bool { frames.take(now) }

    func isUsed(_ id: String) -> Bool { subscriptions[id] != nil || operations[id] != nil }
}

/// How many frames a connection may still send: a bucket that fills with time.
private struct FrameAllowance {
    private let burst: Int64
    private let perSecond: Int64
    /// In thousandths of a frame.
    private var left: Int64
    private var filledAt: Int64

    init(_ limits: HubLimits, now: Int64) {
        burst = Int64(limits.frameBurst) * 1000
        perSecond = Int64(limits.framesPerSecond)
        left = burst
        filledAt = now
    }

    mutating func take(_ now: Int64) -> Bool {
        if now > filledAt {
            left = min(burst, left + (now - filledAt) * perSecond)
            filledAt = now
        }
        guard left >= 1000 else { return false }
        left -= 1000
        return true
    }
}

/// A query or mutation that came over a connection and waits to be executed with the others.
public struct RealtimeOperation: Sendable {
    /// What tells an operation from every other, under an id that is used again too.
    public struct Name: Sendable, Hashable {
        let connection: UInt64
        let id: String
        let number: UInt64
    }

    /// Names it where its answer goes.
    public let name: Name
    /// What to execute.
    public internal(set) var request: HubRequest
}
