/// What waits, first in first out: taking the first costs nothing that grows with how many there are.
struct FIFO<Element: Sendable>: Sendable {
    private var slots: [Element?] = []
    private var head = 0

    /// How many wait.
    var count: Int { slots.count - head }
    /// All that wait, the first first.
    var elements: [Element] { slots[head...].compactMap { $0 } }

    mutating func append(_ element: Element) { slots.append(element) }

    mutating func takeFirst() -> Element? {
        guard head < slots.count else { return nil }
        let first = slots[head]
        // Let go of at once, whatever it holds.
        slots[head] = nil
        head += 1
        if head * 2 > slots.count {
            slots.removeFirst(head)
            head = 0
        }
        return first
    }
}
