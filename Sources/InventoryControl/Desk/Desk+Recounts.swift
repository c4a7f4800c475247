import Basics
import Counting
import DataStore
import Models
import WarehouseModels

extension Desk {
    /// How long after a bin's close its recount may be asked for, unless its zone is done before (milliseconds).
    func recountDelay(in tx: StoreTransaction) throws -> Int64 {
        let minutes = try tx.query(Rule.self, sort: [.ascending(Rule.since)])
            .compactMap { $0.limits.value["recountDelayMinutes"]?.integer }.last
        return (minutes ?? 20) * 60_000
    }

    /// Sends recounts out, all of a zone together and with decoys, so that a recount tells its counter nothing.
    mutating func releaseRecounts(
        in tx: StoreTransaction, now: DateTime, _ outcome: inout DeskOutcome
    ) throws -> Bool {
        guard !recounts.isEmpty else { return false }
        var zones: [String: [Place]] = [:]
        for place in recounts.keys.sorted() {
            guard let bin = try tx.get(Bin.self, id: place.bin) else { continue }
            zones[place.session + "\u{1F}" + bin.zoneID, default: []].append(place)
        }
        for (_, places) in zones.sorted(by: { $0.key < $1.key }) {
            guard let first = places.first, let bin = try tx.get(Bin.self, id: first.bin) else { continue }
            let due = places.compactMap { recounts[$0] }.min() ?? now
            let stillOpen =
                BinTask.sessionID == first.session && BinTask.zoneID == bin.zoneID
                && BinTask.state.isIn([.todo, .open])
            if due > now, try tx.exists(BinTask.self, where: stillOpen) {
                outcome.wake(due)
                continue
            }
            for place in places {
                recounts[place] = nil
                try addRound(place, .RECOUNT, reason: "lines differ", in: tx)
            }
            try addDecoys(places, zone: bin.zoneID, in: tx)
            return true
        }
        return false
    }

    /// Adds the next round for a bin, unless one waits already.
    func addRound(
        _ place: Place, _ purpose: TaskPurpose, reason: String, person: String? = nil, in tx: StoreTransaction
    ) throws {
        let rounds = try rounds(place.session, place.bin, in: tx)
        guard let last = rounds.last, let facts = try binCase(place, in: tx) else { return }
        // Only an OVERRIDE, with its reason on record, sends someone who was there already.
        if let person, facts.opinions.excludedPeople.contains(person) {
            let name = try tx.get(Person.self, id: person)?.name ?? person
            throw Refusal(.wasThere, ["who": "\(name)"])
        }
        if last.state == .todo || (last.state == .open && rounds.count > 1) {
            if let person { try put(last.updating { $0.assigneeID = person }, in: tx) }
            return
        }
        let task = BinTask(
            id: RecordID.task(session: place.session, bin: place.bin, round: rounds.count + 1, sha256: sha256),
            sessionID: place.session, binID: place.bin, binCode: last.binCode, zoneID: last.zoneID,
            walkSequence: last.walkSequence, state: .todo, priority: 1, assigneeID: person,
            notForIDs: facts.opinions.excludedPeople.sorted(), notice: try pickNotice(place.bin, in: tx))
        try add(
            task, purpose, round: rounds.count + 1, after: last.id, reason: reason, facts.session, facts.plan, in: tx)
    }

    /// Decoys: clean bins counted again, drawn by the session's seed, so many per cent of the recounts as a rule says.
    private func addDecoys(_ places: [Place], zone: String, in tx: StoreTransaction) throws {
        guard let session = places.first?.session, let plan = try plan(of: session, in: tx),
            let rule = try tx.query(Rule.self, where: Rule.kind == .decoy, sort: [.ascending(Rule.since)]).last,
            let percent = rule.limits.value["percent"]?.integer, percent > 0
        else { return }
        let wanted = (places.count * Int(percent) + 99) / 100
        let counted = try tx.query(
            BinTask.self,
            where: BinTask.sessionID == session && BinTask.zoneID == zone && BinTask.state == .counted)
        let busy = Set(places.map(\.bin))
        let drawn = counted.filter { !busy.contains($0.binID) }
            .sorted { id("decoy", [plan.seed, $0.binID]) < id("decoy", [plan.seed, $1.binID]) }
        var added = 0
        for task in drawn where added < wanted {
            let place = Place(session: session, bin: task.binID)
            guard try rounds(session, task.binID, in: tx).count == 1 else { continue }
            try addRound(place, .DECOY, reason: "decoy", in: tx)
            added += 1
        }
    }
}
