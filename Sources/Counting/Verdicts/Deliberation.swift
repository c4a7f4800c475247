import Models
import WarehouseModels

/// Which of several readings stands; see ``LineJudge``.
struct Deliberation {
    struct Outcome {
        var state: VerdictState
        var finding: VerdictFinding
        var reading: LineReading
        var stands: Bool
        var overturned: [String] = []
    }

    let policy: JudgePolicy
    /// Readings with a quantity and a known book, by time; never empty.
    let counted: [LineReading]

    /// Decides.
    func outcome(book: BookFacts, key: LineKey) -> Outcome {
        let sure = counted.filter(\.isSure)
        let latest = counted[counted.count - 1]
        guard let lastSure = sure.last else { return doubtful(latest, book, key) }
        if sure.count == 1 { return single(lastSure) }
        if let group = agreement(among: sure) { return confirmed(group, among: sure) }
        let within = sure.filter(isWithin)
        if let best = within.min(by: { (size($0), $1.to) < (size($1), $0.to) }) {
            let overturned = sure.filter { !isWithin($0) }.map(\.opinionID)
            let settles = overturned.isEmpty || policy.acceptsOverturned
            return unlessAbsent(
                Outcome(
                    state: settles ? .ACCEPTED : .TO_DECIDE, finding: finding(best), reading: best, stands: true,
                    overturned: overturned), rounds: sure.count)
        }
        let isLast = sure.count >= policy.mostOpinions
        return Outcome(state: isLast ? .TO_DECIDE : .RECOUNT, finding: .OUT, reading: lastSure, stands: false)
    }

    /// Only doubtful readings: counted again, and shown to a person when that does not help.
    private func doubtful(_ latest: LineReading, _ book: BookFacts, _ key: LineKey) -> Outcome {
        // Bare numbers may be compared where nothing moved between them.
        let same = counted.dropLast().contains { other in
            other.counted == latest.counted && other.serials == latest.serials
                && !book.hasMovement(key, from: other.from, to: latest.to)
        }
        let isLast = same || counted.count >= policy.mostOpinions
        return Outcome(
            state: isLast ? .TO_DECIDE : .RECOUNT, finding: .AMBIGUOUS, reading: latest, stands: same)
    }

    private func single(_ reading: LineReading) -> Outcome {
        guard isWithin(reading) else {
            return Outcome(state: .RECOUNT, finding: .OUT, reading: reading, stands: false)
        }
        return unlessAbsent(
            Outcome(state: .ACCEPTED, finding: finding(reading), reading: reading, stands: true), rounds: 1)
    }

    private func confirmed(_ group: [LineReading], among sure: [LineReading]) -> Outcome {
        let standing = group[group.count - 1]
        let others = sure.filter { !$0.agrees(with: standing, within: policy.epsilon) }.map(\.opinionID)
        let isAccepted = isWithin(standing) || policy.acceptsConfirmed
        return unlessAbsent(
            Outcome(
                state: isAccepted ? .ACCEPTED : .TO_DECIDE, finding: finding(standing), reading: standing,
                stands: true, overturned: others), rounds: sure.count)
    }

    /// The readings that most others agree with: two at least; those within tolerance first, then the later.
    private func agreement(among sure: [LineReading]) -> [LineReading]? {
        let groups = sure.map { reading in sure.filter { $0.agrees(with: reading, within: policy.epsilon) } }
            .filter { $0.count >= 2 }
        return groups.max { a, b in rank(a) < rank(b) }
    }

    private func rank(_ group: [LineReading]) -> (Int, Int, Int64) {
        let last = group[group.count - 1]
        return (isWithin(last) ? 1 : 0, group.count, last.to.milliseconds)
    }

    /// What nobody saw is never accepted unseen: it is counted again, then shown to a person.
    private func unlessAbsent(_ outcome: Outcome, rounds: Int) -> Outcome {
        guard outcome.reading.basis == .ABSENT, outcome.reading.bookQuantity != .zero, outcome.state == .ACCEPTED
        else { return outcome }
        var held = outcome
        held.state = rounds < 2 ? .RECOUNT : .TO_DECIDE
        return held
    }

    private func isWithin(_ reading: LineReading) -> Bool {
        guard let variance = reading.variance, let book = reading.bookQuantity else { return false }
        return reading.missingSerials.isEmpty && reading.extraSerials.isEmpty
            && policy.tolerance.allows(variance, book: book, unitCost: policy.unitCost)
    }

    private func finding(_ reading: LineReading) -> VerdictFinding {
        guard isWithin(reading) else { return .OUT }
        return reading.variance == .zero ? .CLEAN : .WITHIN
    }

    private func size(_ reading: LineReading) -> Decimal3 { reading.variance?.magnitude ?? .zero }
}
