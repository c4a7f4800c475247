import Basics
import DataStore
import Models
import WarehouseModels

extension Desk {
    /// A desk that was silent for so long has lost the lead (milliseconds).
    public static let leaseTime: Int64 = 60_000
    /// How often a desk beats.
    public static let beatTime: Int64 = 15_000

    /// Beats, and finds who leads; nil where this desk does.
    ///
    /// Each desk owns its `Device` record; `lastSequence` holds when it began to stand by without a break, and of those
    /// that live the one that stands longest leads. So a desk that joins never takes the lead from one at work.
    func lead(in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome) throws -> String? {
        let desks = try tx.query(Device.self, where: Device.kind == .desk)
        let own = desks.first { $0.id == code }
        let isFresh = own.map { isAlive($0, now) } ?? false
        let since = isFresh ? own?.lastSequence ?? 0 : Int(now.milliseconds / 1000)
        let isDue = own.map { now.milliseconds - $0.beatAt.milliseconds >= Desk.beatTime } ?? true
        if !isFresh || isDue {
            try tx.save(
                Device(
                    id: code, code: code, kind: .desk, lastSequence: since, unsent: 0, parked: 0, beatAt: now,
                    version: "0.1"))
        }
        outcome.wake(now.advanced(by: Desk.beatTime))
        let rival = desks.filter { $0.id != code && isAlive($0, now) }
            .min { ($0.lastSequence, $0.id) < ($1.lastSequence, $1.id) }
        guard let rival, (rival.lastSequence, rival.id) < (since, code) else { return nil }
        return rival.code
    }

    private func isAlive(_ device: Device, _ now: DateTime) -> Bool {
        device.checkedOutAt == nil && abs(now.milliseconds - device.beatAt.milliseconds) < Desk.leaseTime
    }

    /// Gives the lead up, so that another desk need not wait.
    public func leave(in tx: StoreTransaction, now: DateTime) throws {
        guard let own = try tx.get(Device.self, id: code), own.checkedOutAt == nil else { return }
        try tx.save(own.updating { $0.checkedOutAt = now })
    }
}
