/// Comma-separated values after RFC 4180, safe to open in a spreadsheet.
public enum CSV {
    /// One cell.
    public enum Cell: Sendable, Hashable {
        /// Text of foreign origin: never read as a formula.
        case text(String)
        /// A number, a time or a word that the program made itself.
        case plain(String)
        /// Nothing.
        case empty
    }

    /// A cell's form in the file.
    ///
    /// Text that a spreadsheet would take for a formula (first character `=`, `+`, `-`, `@`, tab or line end) gets an
    /// apostrophe in front; control characters other than line ends are dropped.
    public static func written(_ cell: Cell) -> String {
        switch cell {
        case .empty: return ""
        case .plain(let value): return quoted(value)
        case .text(let value):
            var safe = String.UnicodeScalarView()
            for scalar in value.unicodeScalars {
                switch scalar.value {
                case 0x09, 0x0A, 0x0D: safe.append(scalar)
                case 0..<0x20, 0x7F..<0xA0: continue
                default: safe.append(scalar)
                }
            }
            let text = String(safe)
            // A full-width sign is turned into the plain one by some programs.
            let isFormula = safe.first.map { "=+-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars.contains($0) }
            return quoted(isFormula == true ? "'" + text : text)
        }
    }

    /// A line with its line end (CR LF).
    public static func line(_ cells: [Cell]) -> String {
        cells.map(written).joined(separator: ",") + "\r\n"
    }

    private static func quoted(_ text: String) -> String {
        let needsQuotes = text.unicodeScalars.contains { $0 == "," || $0 == "\"" || $0 == "\r" || $0 == "\n" }
        guard needsQuotes || text.first == " " || text.last == " " else { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { result.unicodeScalars.append(scalar) }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}
