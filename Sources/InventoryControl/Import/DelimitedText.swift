import Basics

/// How the columns of a text file are told apart.
package struct DelimitedFormat: Sendable, Hashable {
    /// The byte between two columns.
    package var separator: UInt8 = UInt8(ascii: "\t")
    /// Whether `"` quotes a column as RFC 4180 says; else it is an ordinary character.
    package var quoted = false
    /// Whether the first line names the columns.
    package var hasHeader = false

    package init() {}
}

/// One line of a delimited file.
package struct DelimitedRow: Sendable, Hashable {
    /// The line it starts on, from 1.
    package let line: Int
    /// The columns in order.
    package let columns: [String]
}

/// A whole delimited file, taken apart.
package struct DelimitedText: Sendable {
    /// The names of the columns where the format has a header.
    package private(set) var header: [String] = []
    /// The rows in order, without the header and without empty lines.
    package private(set) var rows: [DelimitedRow] = []

    /// Takes UTF-8 text apart; a byte-order mark is skipped, lines end with LF, CRLF or CR.
    ///
    /// - Throws: ``ImportError`` where the bytes are no text, or a quote is never closed.
    package init(_ bytes: [UInt8], file: String, format: DelimitedFormat) throws(ImportError) {
        var start = 0
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
        if let zero = bytes.firstIndex(of: 0) {
            let line = bytes[..<zero].count { $0 == 10 } + 1
            throw ImportError(
                file: file, line: line, message: "this is not a text file (a zero byte); save it as UTF-8 text")
        }
        guard String(validating: bytes[start...], as: UTF8.self) != nil else {
            throw ImportError(
                file: file, line: DelimitedText.firstInvalidLine(bytes),
                message: "this is not UTF-8 text; save the file as UTF-8")
        }
        try split(bytes, from: start, file: file, format: format)
        if format.hasHeader, !rows.isEmpty { header = rows.removeFirst().columns }
    }

    private static func firstInvalidLine(_ bytes: [UInt8]) -> Int {
        var line = 1
        for part in bytes.split(separator: 10, omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { return line }
            line += 1
        }
        return line
    }

    private mutating func split(
        _ bytes: [UInt8], from start: Int, file: String, format: DelimitedFormat
    ) throws(ImportError) {
        var columns: [String] = []
        var text: [UInt8] = []
        var line = 1
        var rowLine = 1
        var quote = false
        var index = start

        func endColumn() {
            columns.append(String(decoding: text, as: UTF8.self))
            text.removeAll(keepingCapacity: true)
        }
        while index < bytes.count {
            let byte = bytes[index]
            if quote {
                if byte == UInt8(ascii: "\"") {
                    if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"") {
                        text.append(byte)
                        index += 1
                    } else {
                        quote = false
                    }
                } else {
                    if byte == 10 { line += 1 }
                    text.append(byte)
                }
            } else if format.quoted, byte == UInt8(ascii: "\""), text.isEmpty {
                quote = true
            } else if byte == format.separator {
                endColumn()
            } else if byte == 10 || byte == 13 {
                if byte == 13, index + 1 < bytes.count, bytes[index + 1] == 10 { index += 1 }
                endColumn()
                if columns != [""] { rows.append(DelimitedRow(line: rowLine, columns: columns)) }
                columns = []
                line += 1
                rowLine = line
            } else {
                text.append(byte)
            }
            index += 1
        }
        guard !quote else {
            throw ImportError(file: file, line: rowLine, message: "a quote opened on this line is never closed")
        }
        if !text.isEmpty || !columns.isEmpty {
            endColumn()
            rows.append(DelimitedRow(line: rowLine, columns: columns))
        }
    }
}

/// Why a file, a mapping or one line cannot be used: file, line and what to do.
package struct ImportError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file's name as given.
    package let file: String
    /// The line, from 1; nil where the whole file is meant.
    package let line: Int?
    /// What is wrong, naming the value.
    package let message: String

    package init(file: String, line: Int? = nil, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    /// `file:line: message`.
    package var description: String { printable("\(file)\(line.map { ":\($0)" } ?? ""): \(message)") }
}
