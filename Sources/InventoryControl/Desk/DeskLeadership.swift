import Basics

/// What a desk remembers of its lease; lost with the process, and then asked for anew.
struct DeskLeadership: Sendable {
    /// The renewal that was asked for and when; the lease counts from then once it is confirmed.
    private(set) var asked: (beat: Int, at: DateTime)?
    /// Until when this desk may work.
    private(set) var heldUntil = DateTime(milliseconds: .min)
    /// The last renewal that was seen of another desk, and when that was.
    private var seen: (holder: String, beat: Int, at: DateTime)?

    /// Whether this desk may work.
    func holds(at now: DateTime) -> Bool { now < heldUntil }

    /// Notes that a renewal was written down here; it is not confirmed yet.
    mutating func ask(_ beat: Int, at now: DateTime) { asked = (beat, now) }

    /// Takes note that the record stands with this desk's name; gives whether that is a renewal of this life.
    mutating func confirm(_ beat: Int) -> Bool {
        guard let asked, asked.beat == beat else { return false }
        heldUntil = asked.at.advanced(by: Desk.holdTime)
        seen = nil
        return true
    }

    /// The record names another desk, or nobody.
    mutating func lose() {
        asked = nil
        heldUntil = DateTime(milliseconds: .min)
    }

    /// Watches another desk's renewals by this desk's own clock, however the other's goes; gives since when there was
    /// none.
    mutating func watch(_ holder: String, _ beat: Int, at now: DateTime) -> DateTime {
        if let seen, seen.holder == holder, seen.beat == beat { return seen.at }
        seen = (holder, beat, now)
        return now
    }
}
