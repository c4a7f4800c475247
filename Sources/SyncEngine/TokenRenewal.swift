import Basics

/// When a token is renewed. A value: the time is told, and what is to be done comes back.
///
/// A token says by the backend's clock when it was made and ends, so that clock counts, as it was heard last; this
/// device's, which may be hours off, counts only until then (``time(wall:uptime:)``).
///
/// A token is renewed when three quarters of its time are over, and tried again ever sooner while nobody answers. One
/// that is refused, has ended or gained no time is left to a person: only a PIN makes a new one.
struct TokenRenewal: Sendable {
    enum Event: Sendable {
        /// There is a token, good from `made` until `expires`, in milliseconds since 1970.
        case token(made: Int64?, expires: Int64?)
        case deadline
        /// The backend's clock is another than was thought; see ``heard(_:uptime:)``.
        case time
        /// The renewal brought a token; ``token(made:expires:)`` follows.
        case renewed
        /// Nobody answered, or the backend is overloaded.
        case failed
        /// The backend renews this one no more.
        case refused
    }

    enum Action: Sendable, Hashable {
        /// Wake it after so many milliseconds; nil for not at all.
        case setDeadline(Int64?)
        case renew
        /// Somebody must sign in again before this time.
        case endsAt(Int64)
    }

    /// Renewing sooner than this after the last try helps nobody.
    static let shortest: Int64 = 10_000

    /// Another pause than ``shortest``, for tests that do not wait.
    var pause = TokenRenewal.shortest
    private var made: Int64?
    private var expires: Int64?
    /// The end of the token that was renewed just now: the next one must end later to be worth another renewal.
    private var renewedEnd: Int64?
    private var isRenewing = false
    private var isFinal = false
    private var hasTried = false
    /// The backend's clock minus this device's uptime; nil before it was heard.
    private var ahead: Int64?

    /// A clock that moved by less is the same: answers take their time.
    private static let tolerance: Int64 = 30_000

    /// Takes what the backend's clock showed; gives whether ``Event/time`` must be handled.
    mutating func heard(_ time: Int64, uptime: Int64) -> Bool {
        let new = time - uptime
        if let ahead, abs(ahead - new) < Self.tolerance { return false }
        ahead = new
        return true
    }

    /// The time that events are handled at: the backend's where it was heard, else this device's.
    func time(wall: Int64, uptime: Int64) -> Int64 { ahead.map { $0 + uptime } ?? wall }

    mutating func handle(_ event: Event, now: Int64) -> [Action] {
        switch event {
        case .token(let made, let expires):
            self.made = made
            self.expires = expires
            isRenewing = false
            let gained = renewedEnd.flatMap { end in expires.map { $0 > end } } ?? true
            renewedEnd = nil
            isFinal = !gained
            // The session ends with it, and a PIN must be given again.
            if let expires, isFinal { return [.setDeadline(nil), .endsAt(expires)] }
            return [.setDeadline(wait(now))]
        case .deadline:
            guard let expires, !isRenewing, !isFinal else { return [] }
            guard expires > now else { return [] }
            isRenewing = true
            hasTried = true
            return [.renew]
        case .time:
            guard expires != nil, !isRenewing, !isFinal else { return [] }
            return [.setDeadline(wait(now))]
        case .renewed:
            isRenewing = false
            renewedEnd = expires
            return []
        case .failed:
            isRenewing = false
            guard let expires, expires > now else { return [.setDeadline(nil)] }
            return [.setDeadline(max((expires - now) / 4, pause))]
        case .refused:
            isRenewing = false
            isFinal = true
            return [.setDeadline(nil)] + (expires.map { [.endsAt($0)] } ?? [])
        }
    }

    private func wait(_ now: Int64) -> Int64? {
        guard let expires, expires > now else { return nil }
        // A clock that shows a time before it was made is slow: nobody can tell more than that the token is new.
        let age = max(now - (made ?? now), 0)
        let life = max(expires - (made ?? now), 0)
        // Nothing was tried yet where it starts: what is due then is due at once, or it would be lost meanwhile. The
        // pause keeps clocks that differ from making it renew without end.
        return max(life - life / 4 - age, hasTried ? pause : 0)
    }
}
