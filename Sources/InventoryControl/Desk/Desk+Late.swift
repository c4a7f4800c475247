import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// What came after a line was settled: it changes nothing there, and the supervisors hear of it.
extension Desk {
    /// Tells of the passes over a bin that its settled lines rest without.
    ///
    /// A pass that other lines of the bin rest on, as a recount of one of them, is told of only where it says something
    /// else of a settled one; one that no line can rest on any more, always.
    func tellLate(
        _ verdicts: [LineVerdict], _ facts: BinCase, in tx: StoreTransaction, now: DateTime
    ) throws {
        let settled = verdicts.filter { VerdictRevision.isSettled($0) }
        guard !settled.isEmpty else { return }
        let named = Set(verdicts.flatMap(\.passIDs))
        for opinion in facts.opinions where opinion.state != .void {
            for pass in opinion.passes where opinion.totals[pass.id].map({ $0.received > 0 && !$0.isVoid }) ?? false {
                let without = settled.filter { !$0.passIDs.contains(pass.id) }
                guard !without.isEmpty else { continue }
                let isLate =
                    named.contains(pass.id)
                    ? without.contains { Desk.contradicts(opinion, $0, facts.book) } : settled.count == verdicts.count
                if isLate { try tellLate(pass, facts.bin, in: tx, now: now) }
            }
        }
    }

    private static func contradicts(_ opinion: Opinion, _ verdict: LineVerdict, _ book: BookFacts) -> Bool {
        guard let reading = LineReading(LineKey(verdict), in: opinion, book: book), reading.counted != nil else {
            return false
        }
        return verdict.state == .WAIVED || reading.variance != verdict.variance
    }

    private func tellLate(_ pass: CountPass, _ bin: Bin, in tx: StoreTransaction, now: DateTime) throws {
        let name = try tx.get(Person.self, id: pass.counterID)?.name ?? pass.counterID
        try alert(
            DeskText.cameLate(["who": name, "bin": bin.code]), about: pass.id, key: ["late", pass.id], in: tx, now: now)
    }

    /// Whether a pass came after a line of its bin was settled.
    func isLate(_ pass: String, in tx: StoreTransaction) throws -> Bool {
        try tx.get(Message.self, id: id("Message", ["late", pass])) != nil
    }
}
