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
        let all = counted.filter(\.isSure)
        let sure = all.latestWords
        guard let lastSure = sure.last else { return doubtful(book, key) }
        if let group = agreement(among: sure) { return confirmed(group, among: all) }
        return contested(sure.count == 1 ? single(lastSure) : compared(sure, lastSure), among: all)
    }

    /// What stands where several say different things.
    private func compared(_ sure: [LineReading], _ lastSure: LineReading) -> Outcome {
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

    /// What somebody said before of his own count speaks against what nobody else confirms: it is shown to a person.
    private func contested(_ outcome: Outcome, among all: [LineReading]) -> Outcome {
        let against = all.filter { !$0.agrees(with: outcome.reading, within: policy.epsilon) && !isWithin($0) }
        guard outcome.state == .ACCEPTED, !against.isEmpty else { return outcome }
        var shown = outcome
        shown.overturned = against.map(\.opinionID)
        if !policy.acceptsOverturned { shown.state = .TO_DECIDE }
        return shown
    }

    /// Only doubtful readings: counted again, and shown to a person when that does not help.
    private func doubtful(_ book: BookFacts, _ key: LineKey) -> Outcome {
        let words = counted.latestWords
        let latest = words[words.count - 1]
        // Bare numbers may be compared where nothing moved between them.
        let same = words.dropLast().contains { other in
            other.isIndependent(of: latest) && other.counted == latest.counted && other.serials == latest.serials
                && !book.hasMovement(key, from: other.from, to: latest.to)
        }
        let isLast = same || words.count >= policy.mostOpinions
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

    private func confirmed(_ group: [LineReading], among all: [LineReading]) -> Outcome {
        let standing = group[group.count - 1]
        let others = all.filter { !$0.agrees(with: standing, within: policy.epsilon) }.map(\.opinionID)
        let isAccepted = isWithin(standing) || policy.acceptsConfirmed
        return unlessAbsent(
            Outcome(
                state: isAccepted ? .ACCEPTED : .TO_DECIDE, finding: finding(standing), reading: standing,
                stands: true, overturned: others), rounds: group.count)
    }

    /// The readings that most others, of other people, agree with: two at least; those within tolerance first, then the later.
    private func agreement(among sure: [LineReading]) -> [LineReading]? {
        let groups = sure.map { reading in
            sure.filter { other in
                other.opinionID == reading.opinionID
                    || other.isIndependent(of: reading) && other.agrees(with: reading, within: policy.epsilon)
            }
        }.filter { $0.count >= 2 }
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

extension [LineReading] {
    /// Of readings by time the last of the same people each: who counts again neither confirms himself nor is a recount.
    fileprivate var latestWords: [LineReading] {
        var result: [LineReading] = []
        for reading in reversed() where !result.contains(where: { $0.repeats(reading) }) { result.append(reading) }
        return result.reversed()
    }
}
