import Basics
import Counting
import Models

/// The totals in a SHARE entry's text.
enum SharedTotals {
    /// One line and what was counted of it.
    struct Line {
        let key: LineKey
        let quantity: Decimal3
    }

    static func text(_ lines: [Line]) -> String {
        JSONValue.array(
            lines.sorted { $0.key < $1.key }.map { line in
                .array(line.key.parts.map { $0.map(JSONValue.string) ?? .null } + [.string(line.quantity.description)])
            }
        ).text
    }

    /// Reads what ``text(_:)`` wrote; anything else is no totals.
    static func read(_ text: String) -> [LineKey: Decimal3] {
        guard case .array(let rows)? = try? JSONValue(parsing: text) else { return [:] }
        var result: [LineKey: Decimal3] = [:]
        for case .array(let cells) in rows where cells.count == 7 {
            let parts = cells.map { cell -> String? in if case .string(let text) = cell { text } else { nil } }
            guard let quantity = parts[6].flatMap({ Decimal3($0) }) else { continue }
            if let item = parts[0] {
                result[
                    LineKey(
                        itemID: item, lot: parts[2], stockOwner: parts[3], stockStatus: parts[4], licencePlate: parts[5]
                    )] = quantity
            } else if let code = parts[1] {
                result[
                    LineKey(
                        unknownCode: code, lot: parts[2], stockOwner: parts[3], stockStatus: parts[4],
                        licencePlate: parts[5])] = quantity
            }
        }
        return result
    }
}
