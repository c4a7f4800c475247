import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// What has arrived and is not judged yet: nothing is decided over it.
extension Desk {
    /// How the work stands that a decision must wait for.
    enum WorkState {
        case done
        /// Some of it was judged in this step.
        case underWay
        /// So many bins and passes cannot be judged, since of what they belong to not all is here.
        case waits(Int)
    }

    /// Goes on with judging what lies here of a count, where a decision is about all that was counted in it.
    mutating func judgeWork(
        before decision: Decision, in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws -> WorkState {
        guard let session = decision.sessionID else { return .done }
        switch decision.kind {
        case .export, .close: break
        case .approve where decision.targetIDs.isEmpty: break
        default: return .done
        }
        return try judgeWork(of: session, in: tx, now: now, &outcome)
    }

    /// Goes on with judging what lies here of a count.
    mutating func judgeWork(
        of session: String, in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws -> WorkState {
        if try judgeDirty(of: session, in: tx, now: now, &outcome) { return .underWay }
        if try findUnheard(of: session, in: tx) { return .underWay }
        let alone = try orphans.count { id in
            try tx.first(CountEntry.self, where: CountEntry.passID == id)?.sessionID == session
        }
        let rest = alone + unready.count { $0.session == session }
        return rest == 0 ? .done : .waits(rest)
    }

    /// Notes the passes of a count that are here and were not heard of yet; gives whether there were any.
    private mutating func findUnheard(of session: String, in tx: StoreTransaction) throws -> Bool {
        var found: [CountPass] = []
        try tx.forEach(CountPass.self, where: CountPass.sessionID == session) { pass in
            if places[pass.id] == nil, !unplaced.contains(pass.id) { found.append(pass) }
            return true
        }
        for pass in found { place(pass, try bin(of: pass, in: tx)) }
        return !found.isEmpty
    }

    /// The bins of a decision's lines and tasks.
    func places(of decision: Decision, in tx: StoreTransaction) throws -> [Place] {
        var result: Set<Place> = []
        for target in decision.targetIDs {
            if let verdict = try tx.get(LineVerdict.self, id: target) {
                result.insert(Place(session: verdict.sessionID, bin: verdict.binID))
            } else if let task = try tx.get(BinTask.self, id: target) {
                result.insert(Place(session: task.sessionID, bin: task.binID))
            }
        }
        return result.sorted()
    }

    /// Judges some of the bins of which something is new, of one count where it is given; gives whether there were any.
    mutating func judgeDirty(
        of session: String? = nil, in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws -> Bool {
        let places = firstDirty(of: session)
        guard !places.isEmpty else { return false }
        for place in places {
            try judge(place, in: tx, now: now, &outcome)
            dirty.remove(place)
        }
        (holdsChanged, outcome.hasMore) = (true, true)
        return true
    }

    /// The first bins in order, found in one pass: a whole site's are not sorted anew for each step.
    private func firstDirty(of session: String?) -> [Place] {
        var first: [Place] = []
        for place in dirty where session == nil || place.session == session {
            if first.count == Desk.binsPerStep {
                guard let last = first.last, place < last else { continue }
                first.removeLast()
            }
            first.insert(place, at: first.firstIndex { place < $0 } ?? first.count)
        }
        return first
    }

    /// Judges a bin by all that is here, whether it was heard of already or not: whoever decides about it now must have
    /// seen what comes of that.
    mutating func judgeAll(
        _ place: Place, in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws {
        for bin in [CountPass.binID == place.bin, CountPass.binID.exists(false)] {
            for pass in try tx.query(CountPass.self, where: bin && CountPass.sessionID == place.session)
            where try places[pass.id] == nil && self.bin(of: pass, in: tx) == place.bin {
                index(pass, bin: place.bin)
            }
        }
        try judge(place, in: tx, now: now, &outcome)
        dirty.remove(place)
    }
}
