import Models

/// What came of taking exported entries in.
public struct OutboxImport: Sendable, Hashable {
    /// Entries that were not here.
    public var new = 0
    /// Entries in all.
    public var all = 0
    /// Entries that were left out because they would make a record again that was deleted since.
    public var deleted = 0

    /// Nothing taken in.
    public init() {}
}

/// What goes as one among the entries that are taken in, by the numbers that the other store gave.
struct ImportedUnits {
    /// Of which something waits here already.
    var isHere: Set<Int64> = []
    private var found: [Int64: (line: Int, size: Int64, count: Int64)] = [:]
    private var taken: [Int64: (first: Int64, count: Int64)] = [:]

    mutating func note(_ unit: Int64, size: Int64, line: Int) {
        found[unit, default: (line, size, 0)].count += 1
    }

    /// Half of a transaction is no transaction.
    func check() throws {
        for unit in found.values.sorted(by: { $0.line < $1.line }) where unit.count < unit.size {
            throw StoreError.invalidImport(
                line: unit.line,
                reason:
                    "\(unit.size - unit.count) more changes go as one with it and are not here; take them in together")
        }
    }

    /// Notes a new entry of a unit; gives the unit's first one, and whether this is the second, nil where it is the first.
    mutating func took(_ unit: Int64, _ order: Int64) -> (order: Int64, isSecond: Bool)? {
        guard let known = taken[unit] else {
            taken[unit] = (order, 1)
            return nil
        }
        taken[unit] = (known.first, known.count + 1)
        return (known.first, known.count == 1)
    }

    /// The second reading of a file must have found what the first one did.
    func checkTaken() throws {
        for (unit, seen) in found where !isHere.contains(unit) && taken[unit]?.count != seen.count {
            throw StoreError.invalidImport(line: seen.line, reason: "the file was changed while it was read; try again")
        }
    }
}
