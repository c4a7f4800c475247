import Basics
import Models
import WarehouseModels

/// Why a decision about a line is not carried out.
public enum DecisionRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// The line is not the one that was shown.
    case changed(shown: Int, now: Int)
    /// Whoever counted, helped or stood beside may not approve.
    case approverCounted
    /// The difference is above what this person may approve.
    case aboveBand
    /// The line is in a state in which this cannot be done.
    case notPossible(VerdictState)
    /// There is no count to accept.
    case nothingCounted
    /// The act needs a reason.
    case reasonMissing

    /// One line for a person.
    public var description: String {
        switch self {
        case .changed(let shown, let now): "the line changed since (revision \(shown) was shown, it is \(now) now)"
        case .approverCounted: "who counted or helped cannot approve"
        case .aboveBand: "the difference is above this person's band"
        case .notPossible(let state): "not possible while the line is \(state.rawValue)"
        case .nothingCounted: "nothing was counted to accept"
        case .reasonMissing: "a reason is needed"
        }
    }
}

/// The life of a line's verdict: how judgements and decisions make its next revision.
public enum VerdictRevision {
    /// The verdict after a judgement; nil where nothing changes.
    ///
    /// What a person signed, and what has left for the ERP, is never changed by a judgement: what arrives after that
    /// stands under *late*. A recount that a person asked for stands until another opinion is there.
    public static func next(
        after previous: LineVerdict?, id: String, sessionID: String, binID: String, key: LineKey,
        judgement: LineJudgement, unitCost: Decimal3?, guess: String? = nil
    ) -> LineVerdict? {
        guard let itemID = key.itemID else { return nil }
        let passIDs = judgement.readings.flatMap(\.passIDs)
        if let previous, isSettled(previous) { return nil }
        let asked = previous.map { $0.state == .RECOUNT && $0.decisionID != nil } ?? false
        if asked, previous?.passIDs == passIDs { return nil }
        let reading = judgement.reading
        let variance = reading?.variance
        let next = LineVerdict(
            id: id, sessionID: sessionID, binID: binID, itemID: itemID, lot: key.lot, stockOwner: key.stockOwner,
            stockStatus: key.stockStatus, licencePlate: key.licencePlate,
            serials: reading.flatMap { $0.serials.isEmpty ? nil : $0.serials.sorted() }, revision: 1,
            state: judgement.state, finding: judgement.finding, basis: reading?.basis ?? .NOT_COUNTED,
            passIDs: passIDs, standingPassID: judgement.stands ? reading?.opinionID : nil, counted: reading?.counted,
            countedFrom: reading?.from, countedTo: reading?.to, bookAtCount: reading?.bookQuantity,
            variance: variance, varianceValue: unitCost.flatMap { cost in variance?.valued(at: cost) }, guess: guess)
        return revised(previous, to: next)
    }

    /// Whether a verdict is signed, exported or waived, so that no judgement changes it.
    public static func isSettled(_ verdict: LineVerdict) -> Bool {
        switch verdict.state {
        case .EXPORTED, .WAIVED: true
        case .ACCEPTED: verdict.decisionID != nil
        default: false
        }
    }

    /// Accepts a line as it stands, or the reading the supervisor chose.
    ///
    /// - Parameters:
    ///   - people: everyone who counted, helped or stood beside in any opinion about it.
    ///   - mayApprove: whether the difference's value is within the approver's band.
    public static func approved(
        _ verdict: LineVerdict, by decision: Decision, seenRevision: Int, people: Set<String>, mayApprove: Bool,
        choosing reading: LineReading? = nil, unitCost: Decimal3? = nil
    ) throws(DecisionRefusal) -> LineVerdict {
        try check(verdict, seenRevision)
        guard !people.contains(decision.byID) else { throw .approverCounted }
        guard mayApprove else { throw .aboveBand }
        guard (reading?.counted ?? verdict.counted) != nil else { throw .nothingCounted }
        let variance = reading?.variance
        let next = verdict.updating { draft in
            draft.state = .ACCEPTED
            draft.decisionID = decision.id
            if let reading {
                draft.basis = reading.basis
                draft.counted = reading.counted
                draft.countedFrom = reading.from
                draft.countedTo = reading.to
                draft.bookAtCount = reading.bookQuantity
                draft.variance = variance
                draft.varianceValue = unitCost.flatMap { cost in variance?.valued(at: cost) }
                draft.serials = reading.serials.isEmpty ? nil : reading.serials.sorted()
            }
            draft.standingPassID = reading?.opinionID ?? verdict.standingPassID ?? verdict.passIDs.last
            draft.revision = verdict.revision + 1
        }
        return next
    }

    /// Sends a line to another counter.
    public static func recounted(
        _ verdict: LineVerdict, by decision: Decision, seenRevision: Int
    ) throws(DecisionRefusal) -> LineVerdict {
        try check(verdict, seenRevision)
        return verdict.updating {
            $0.state = .RECOUNT
            $0.decisionID = decision.id
            $0.standingPassID = nil
            $0.revision = verdict.revision + 1
        }
    }

    /// Gives a line up, with a reason: it stays as the book has it.
    public static func waived(
        _ verdict: LineVerdict, by decision: Decision, seenRevision: Int
    ) throws(DecisionRefusal) -> LineVerdict {
        try check(verdict, seenRevision)
        guard let reason = decision.reason, !reason.isEmpty else { throw .reasonMissing }
        return verdict.updating {
            $0.state = .WAIVED
            $0.decisionID = decision.id
            $0.revision = verdict.revision + 1
        }
    }

    /// Marks an accepted line as left for the ERP.
    public static func exported(_ verdict: LineVerdict) throws(DecisionRefusal) -> LineVerdict {
        guard verdict.state == .ACCEPTED else { throw .notPossible(verdict.state) }
        return verdict.updating {
            $0.state = .EXPORTED
            $0.revision = verdict.revision + 1
        }
    }

    private static func check(_ verdict: LineVerdict, _ seenRevision: Int) throws(DecisionRefusal) {
        guard verdict.revision == seenRevision else {
            throw .changed(shown: seenRevision, now: verdict.revision)
        }
        guard !isSettled(verdict) else { throw .notPossible(verdict.state) }
    }

    private static func revised(_ previous: LineVerdict?, to next: LineVerdict) -> LineVerdict? {
        guard let previous else { return next }
        let unchanged = next.updating { $0.revision = previous.revision }
        let before = previous.updating { $0.decisionID = unchanged.decisionID }
        // The hub's stamps are no part of what a verdict says.
        if unchanged.record.values.dropLast(2) == before.record.values.dropLast(2) { return nil }
        return next.updating { $0.revision = previous.revision + 1 }
    }
}
