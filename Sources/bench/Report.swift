import Basics
import System

/// Prints the rows as a table and writes them for programs.
enum Report {
    static func print(_ rows: [Row]) {
        let head = ["id", "value", "reference", "ratio", "target", "met"]
        var cells = [head]
        for row in rows {
            cells.append([
                row.id, "\(short(row.value)) \(row.unit)", row.reference.map { "\(short($0)) \(row.unit)" } ?? "-",
                row.ratio.map { short($0) } ?? "-", row.target, row.met ? "yes" : "NO",
            ])
        }
        let widths = head.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        for (number, line) in cells.enumerated() {
            let text = zip(line, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            Swift.print(text.joined(separator: "  "))
            if number > 0, !rows[number - 1].note.isEmpty { Swift.print("    \(rows[number - 1].note)") }
        }
    }

    static func write(_ rows: [Row], to path: String) throws {
        try Files.writeAtomically(JSONValue.array(rows.map(\.json)).bytes + [10], to: path)
    }
}
