import Basics
import DataStore
import Models
import WarehouseModels

extension Desk {
    /// A desk whose lease was not renewed for so long has lost it (milliseconds).
    public static let leaseTime: Int64 = 60_000
    /// How long after asking a desk trusts its own lease: less than others wait (milliseconds).
    public static let holdTime: Int64 = 45_000
    /// How often a desk beats.
    public static let beatTime: Int64 = 15_000
    /// How often it is looked whether everything was fetched.
    static let fetchPause: Int64 = 1000
    /// The one lease.
    static let leaseID = "desk"

    /// Beats, and finds who works; nil where this desk does, else the one that does, or this one's own code while it waits
    /// for the server's word.
    ///
    /// The lease is one record whose versions the server compares: of two desks that write it within one round trip one
    /// is refused. A desk works from when its own write is confirmed, and stops by itself when no renewal is: it may then
    /// have been taken over without hearing of it.
    mutating func lead(in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome) throws -> String? {
        try beat(in: tx, now: now)
        outcome.wake(now.advanced(by: Desk.beatTime))
        if try isAsking(in: tx) { return waiting(at: now, &outcome) }
        let lease = try tx.get(DeskLease.self, id: Desk.leaseID)
        guard let lease, !lease.holder.isEmpty else {
            loseLead()
            return try claim(after: lease, in: tx, now: now, &outcome)
        }
        guard lease.holder == code else {
            loseLead()
            let silentSince = leadership.watch(lease.holder, lease.beat, at: now)
            let end = silentSince.advanced(by: Desk.leaseTime)
            if end <= now { return try claim(after: lease, in: tx, now: now, &outcome) }
            outcome.wake(end)
            return lease.holder
        }
        let isConfirmed = leadership.confirm(lease.beat)
        let age = leadership.asked.map { now.milliseconds - $0.at.milliseconds }
        // A lease of an earlier life of this desk is only as good as its renewal.
        guard !isConfirmed || age ?? .max >= Desk.beatTime else { return nil }
        return try claim(after: lease, in: tx, now: now, &outcome)
    }

    /// Another desk works, or did: everything is looked at anew when this one does. A lease that lapsed while the server
    /// was silent, and that nobody had since, loses nothing of what was gathered.
    private mutating func loseLead() {
        leadership.lose()
        isStarted = false
    }

    /// Writes the lease in this desk's name; without a server that is all.
    private mutating func claim(
        after lease: DeskLease?, in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws -> String? {
        let beat = (lease?.beat ?? 0) + 1
        try tx.save(DeskLease(id: Desk.leaseID, holder: code, beat: beat, beatAt: now))
        leadership.ask(beat, at: now)
        if try isAsking(in: tx) { return waiting(at: now, &outcome) }
        _ = leadership.confirm(beat)
        return nil
    }

    private func waiting(at now: DateTime, _ outcome: inout DeskOutcome) -> String? {
        guard leadership.holds(at: now) else { return code }
        outcome.wake(leadership.heldUntil)
        return nil
    }

    /// Whether a write of the lease is on its way. One that the server will never take is given up: the record is then
    /// what the server has.
    private func isAsking(in tx: StoreTransaction) throws -> Bool {
        if isAlone { return false }
        var isUnderway = false
        for entry in try tx.outbox(model: DeskLease.schema.name, id: Desk.leaseID) {
            if entry.state == .parked { try tx.revertOutbox(entry.order) } else { isUnderway = true }
        }
        return isUnderway
    }

    /// Says that this desk lives, whether it works or stands by.
    private func beat(in tx: StoreTransaction, now: DateTime) throws {
        let own = try tx.get(Device.self, id: code)
        if let own, own.checkedOutAt == nil, abs(now.milliseconds - own.beatAt.milliseconds) < Desk.beatTime { return }
        try tx.save(
            Device(
                id: code, code: code, kind: .desk, lastSequence: 0, unsent: 0, parked: 0, beatAt: now, version: "0.1"))
    }

    /// Gives the lease back, so that another desk need not wait.
    public func leave(in tx: StoreTransaction, now: DateTime) throws {
        if let lease = try tx.get(DeskLease.self, id: Desk.leaseID), lease.holder == code, try !isAsking(in: tx) {
            try tx.save(
                lease.updating {
                    $0.holder = ""
                    $0.beat = lease.beat + 1
                    $0.beatAt = now
                })
        }
        guard let own = try tx.get(Device.self, id: code), own.checkedOutAt == nil else { return }
        try tx.save(own.updating { $0.checkedOutAt = now })
    }
}
