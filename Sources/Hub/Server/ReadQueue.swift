/// Whose query is read next: those of one caller in the order in which they came, and the callers in turn. A value.
///
/// Whoever asks much so makes himself wait and not the others: between two of his queries each of them has one.
struct ReadQueue<Element: Sendable>: Sendable {
    /// How many queries of one caller may wait.
    private let share: Int
    /// By whom they are paid for; nil is for those of whom nobody knows yet who sends them.
    private var waiting: [String?: FIFO<Element>] = [:]
    /// Whose turn is when, whoever is next first: each has one.
    private var turns = FIFO<String?>()
    private var haveTurn: Set<String?> = []

    init(share: Int) { self.share = share }

    /// Adds a query; false where as many of this caller wait as may.
    mutating func add(_ element: Element, of payer: String?) -> Bool {
        guard waiting[payer]?.count ?? 0 < share else { return false }
        if haveTurn.insert(payer).inserted { turns.append(payer) }
        waiting[payer, default: FIFO()].append(element)
        return true
    }

    /// Takes the first query of the caller whose turn it is.
    mutating func next() -> Element? {
        while let payer = turns.takeFirst() {
            guard let element = waiting[payer]?.takeFirst() else {
                haveTurn.remove(payer)
                continue
            }
            if waiting[payer]?.count == 0 {
                waiting[payer] = nil
                haveTurn.remove(payer)
            } else {
                turns.append(payer)
            }
            return element
        }
        return nil
    }

    /// Takes all queries of whom nobody knows yet who sends them.
    mutating func takeUnknown() -> [Element] {
        guard var line = waiting.removeValue(forKey: nil) else { return [] }
        var elements: [Element] = []
        while let element = line.takeFirst() { elements.append(element) }
        return elements
    }
}
