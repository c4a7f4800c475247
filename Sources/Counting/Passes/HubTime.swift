import Basics
import WarehouseModels

/// When things were by the hub's clock: clocks of terminals and of supervisors may be wrong by any amount, and what they
/// say is gone by only where the hub has not seen a record.

extension Decision {
    /// When it reached the hub.
    public var arrivedAt: DateTime { createdAt ?? at }

    /// Whether it came before another, or was made before it on the same screen.
    public func isBefore(_ other: Decision) -> Bool {
        (arrivedAt, deviceID, sequence) < (other.arrivedAt, other.deviceID, other.sequence)
    }
}

extension CountEntry {
    /// When it reached the hub.
    public var arrivedAt: DateTime { createdAt ?? at }
}

extension Device {
    /// When it reported last.
    public var heardAt: DateTime { updatedAt ?? beatAt.advanced(by: Int64(clockOffsetMs ?? 0)) }

    /// Whether it reported after it was declared lost, and so is there again.
    public func hasReported(since lost: Decision) -> Bool { heardAt > lost.arrivedAt }
}
