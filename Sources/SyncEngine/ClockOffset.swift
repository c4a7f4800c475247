import Basics

/// The backend's clock measured against this device's: the answer with the shortest round trip is nearest to the truth.
struct ClockOffset {
    private struct Sample {
        let offset: Int64
        let roundTrip: Int64
        let takenAt: Int64
    }

    private var best: Sample?
    /// What the wall clock was ahead of uptime at the last measure: a jump of the wall clock moves the offset with it.
    private var wallBase: Int64?

    /// - Parameters:
    ///   - server: the backend's clock when it answered.
    ///   - sentAt: uptime.
    ///   - uptime: uptime when the answer came.
    ///   - wall: this device's clock when the answer came.
    mutating func measure(server: Int64, sentAt: Int64, uptime: Int64, wall: Int64) {
        let roundTrip = max(uptime - sentAt, 0)
        let base = wall - uptime
        if let wallBase, abs(wallBase - base) > Self.jump { best = nil }
        wallBase = base
        let sample = Sample(
            offset: server - (wall - (uptime - sentAt) / 2), roundTrip: roundTrip, takenAt: uptime)
        if let best, best.roundTrip < roundTrip, uptime - best.takenAt < Self.lifetime { return }
        best = sample
    }

    /// The backend's clock minus this device's.
    func milliseconds(uptime: Int64, wall: Int64) -> Int64? {
        guard let best, let wallBase else { return nil }
        return best.offset - ((wall - uptime) - wallBase)
    }

    /// A better measure is believed so long; crystals drift some milliseconds in it.
    private static let lifetime: Int64 = 600_000
    private static let jump: Int64 = 5
}
