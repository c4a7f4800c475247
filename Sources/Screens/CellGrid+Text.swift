extension CellGrid: CustomStringConvertible {
    /// The grid as text, one line a row, each as wide as the grid.
    public var description: String { rows.joined(separator: "\n") }

    /// The text of each row, trailing blanks included.
    public var rows: [String] { (0..<size.height).map { text(row: $0) } }

    /// The text of one row.
    public func text(row: Int) -> String {
        var text = String.UnicodeScalarView()
        for column in 0..<size.width {
            let cell = self[column: column, row: row]
            for value in [cell.scalar, cell.mark1, cell.mark2] where value != 0 {
                if let scalar = Unicode.Scalar(value) { text.append(scalar) }
            }
        }
        return String(text)
    }

    /// The style of every cell as letters, one line a row (see ``Style/letter``).
    public var styleBlock: String {
        (0..<size.height).map { row in
            String((0..<size.width).map { self[column: $0, row: row].style.letter })
        }.joined(separator: "\n")
    }

    /// A picture for snapshots: the text between bars, the styles below where any is not plain, and the cursor.
    public var picture: String {
        var lines = rows.map { "|\($0)|" }
        let styles = styleBlock
        if styles.contains(where: { $0 != "." && $0 != "\n" }) {
            lines.append("styles")
            lines += styles.split(separator: "\n", omittingEmptySubsequences: false).map { "|\($0)|" }
        }
        if let cursor { lines.append("cursor column \(cursor.column) row \(cursor.row)") }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension CellGrid {
    /// A run of cells in one row that differs from another grid.
    public struct Change: Hashable, Sendable {
        /// The row.
        public let row: Int
        /// The columns, in order.
        public let columns: Range<Int>
    }

    /// The runs that must be written to turn `old` into this grid; whole rows where the sizes differ.
    ///
    /// A run never begins or ends inside a wide character of either grid.
    public func changes(from old: CellGrid?) -> [Change] {
        guard let old, old.size == size else {
            return size.width == 0 ? [] : (0..<size.height).map { Change(row: $0, columns: 0..<size.width) }
        }
        var changes: [Change] = []
        let width = size.width
        cells.withUnsafeBufferPointer { new in
            old.cells.withUnsafeBufferPointer { old in
                for row in 0..<size.height {
                    var column = 0
                    let base = row * width
                    while column < width {
                        guard new[base + column] != old[base + column] else {
                            column += 1
                            continue
                        }
                        var start = column
                        while start > 0, new[base + start].isContinuation || old[base + start].isContinuation {
                            start -= 1
                        }
                        var end = column + 1
                        while end < width,
                            new[base + end] != old[base + end] || new[base + end].isContinuation
                                || old[base + end].isContinuation
                        {
                            end += 1
                        }
                        if let last = changes.last, last.row == row, last.columns.upperBound >= start {
                            changes[changes.count - 1] = Change(row: row, columns: last.columns.lowerBound..<end)
                        } else {
                            changes.append(Change(row: row, columns: start..<end))
                        }
                        column = end
                    }
                }
            }
        }
        return changes
    }
}
