import Models
import WarehouseModels

/// What supervisors said that unknown codes stand for: the fold's only input beside entries.
public struct CodeMatches: Sendable, Hashable {
    private var byValue: [String: CodeMatch] = [:]

    /// No matches.
    public init() {}

    /// The matches of one session; of two for the same code the later one holds.
    public init(_ matches: some Sequence<CodeMatch>) {
        for match in matches {
            let value = normalisedCode(match.value)
            if let known = byValue[value], (known.at, known.id) > (match.at, match.id) { continue }
            byValue[value] = match
        }
    }

    /// The line an entry counts for and the factor to base units; a nil factor means the entry's own quantity.
    func line(of entry: CountEntry) -> (key: LineKey, factor: Decimal3?)? {
        guard let key = LineKey(entry) else { return nil }
        guard let code = key.unknownCode, let match = byValue[code] else { return (key, nil) }
        // A factor that three places cannot hold leaves the line unknown, where a person sees it.
        if let amount = entry.baseQuantity ?? entry.quantity, amount.multiplied(by: match.factor) == nil {
            return (key, nil)
        }
        return (key.matched(to: match.itemID), match.factor)
    }
}
