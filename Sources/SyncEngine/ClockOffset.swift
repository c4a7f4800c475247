import Basics

/// The backend's clock measured against this device's: the answer with the shortest round trip is nearest to the truth.
struct ClockOffset {
    private struct Sample {
        let offset: Int64
        let roundTrip: Int64
        let takenAt: Int64
    }

    private var best: Sample?
    /// What was kept last, with its wall clock.
    private var lastKept: (sample: Sample, wallBase: Int64)?
    /// What the wall clock was ahead of uptime at the last measure: a jump of the wall clock moves the offset with it.
    private var wallBase: Int64?

    init() {}

    /// - Parameters:
    ///   - server: the backend's clock when it answered.
    ///   - sentAt: uptime.
    ///   - uptime: uptime when the answer came.
    ///   - wall: this device's clock when the answer came.
    /// - Returns: whether it is believed from now on, and worth keeping.
    @discardableResult
    mutating func measure(server: Int64, sentAt: Int64, uptime: Int64, wall: Int64) -> Bool {
        let roundTrip = max(uptime - sentAt, 0)
        let base = wall - uptime
        if let wallBase, abs(wallBase - base) > Self.jump { best = nil }
        wallBase = base
        let sample = Sample(
            offset: server - (wall - (uptime - sentAt) / 2), roundTrip: roundTrip, takenAt: uptime)
        if let best, best.roundTrip < roundTrip, uptime - best.takenAt < Self.lifetime { return false }
        best = sample
        return true
    }

    /// The backend's clock minus this device's.
    func milliseconds(uptime: Int64, wall: Int64) -> Int64? {
        guard let best, let wallBase else { return nil }
        return best.offset - ((wall - uptime) - wallBase)
    }

    // MARK: Across restarts of the program

    /// The measure as it is to be kept, with the start of the machine that it was taken in; nil where what was kept last
    /// says nearly the same and is not old. Counts as kept then.
    mutating func takeToKeep(in boot: String) -> String? {
        guard let best, let wallBase else { return nil }
        if let (kept, keptBase) = lastKept, best.takenAt - kept.takenAt < Self.keptFor,
            max(abs(best.offset - kept.offset), abs(wallBase - keptBase)) <= Self.jump
        {
            return nil
        }
        lastKept = (best, wallBase)
        return "\(best.offset) \(best.roundTrip) \(best.takenAt) \(wallBase) \(boot)"
    }

    /// Takes up what was kept; nil where it was taken in another start of the machine: what its wall clock did between
    /// the two nobody knows, so that only the next contact places what is made from now on.
    init?(_ text: String, boot: String, uptime: Int64) {
        let parts = text.split(separator: " ", maxSplits: 4)
        let numbers = parts.prefix(4).compactMap { Int64($0) }
        guard parts.count == 5, numbers.count == 4, parts[4] == boot, numbers[2] <= uptime else { return nil }
        let sample = Sample(offset: numbers[0], roundTrip: numbers[1], takenAt: numbers[2])
        best = sample
        wallBase = numbers[3]
        lastKept = (sample, numbers[3])
    }

    /// A better measure is believed so long; crystals drift some milliseconds in it.
    private static let lifetime: Int64 = 600_000
    private static let jump: Int64 = 5
    /// What is kept is as young as this while answers come.
    private static let keptFor: Int64 = 60_000
}
