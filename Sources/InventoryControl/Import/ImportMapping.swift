import Basics
import Models

/// Which column of which file feeds which model's field.
///
/// A mapping is a text file:
///
///     # Location.csv holds our zones
///     @file Location.csv
///     @format separator=tab header=no
///     @model Zone key=code
///     code         = column 1 | trim
///     name         = column 2 | trim
///     walkSequence = column 1
///
/// `@file` may hold `*` and may be repeated. `@model` names a model of the schema and the fields its records are known
/// by; `alias=EXPRESSION` gives another text by which other files refer to it. Sources are `column N`, `column NAME`,
/// `constant TEXT`, `compose TEMPLATE` with `{N}` or `{N:03}`, `reference MODEL SOURCE`, `order N…` (the rank of those
/// columns among all rows, in natural order), `digits` (made check digits), `fileHash` and `fileLines` (SHA-256 and row
/// count of the file), `newest N` (the latest time in a column). Transforms follow behind bars: `trim`, `upper`, `lower`, `default TEXT`, `null TEXT`, `map A=B…`, `strip PREFIX`,
/// `pad N`.
package struct ImportMapping: Sendable {
    /// The mapping's own file name.
    package let name: String
    /// File-name patterns it serves.
    package var files: [String] = []
    /// How those files are written.
    package var format = DelimitedFormat()
    /// What each row makes.
    package var records: [RecordMapping] = []

    /// Whether it serves a file of this name (its last path component).
    package func serves(_ fileName: String) -> Bool { files.contains { matches(pattern: $0, fileName) } }
}

/// What a row makes of one model.
package struct RecordMapping: Sendable {
    /// The model.
    package let model: ModelSchema
    /// The fields of the natural key, which the id is made from.
    package let key: [String]
    /// Another text by which other files refer to the record.
    package var alias: ImportExpression?
    /// A field's source, with the mapping's line it stands on.
    package var fields: [(field: FieldSchema, expression: ImportExpression, line: Int)] = []
}

extension ImportMapping {
    /// Reads a mapping file.
    ///
    /// - Throws: ``ImportError`` naming the mapping's line and the word that is wrong.
    package init(_ text: String, name: String, schema: Schema) throws(ImportError) {
        self.name = name
        var number = 0
        for raw in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let line = String(raw).trimmed
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            func fail(_ message: String) -> ImportError { ImportError(file: name, line: number, message: message) }
            if line.hasPrefix("@") {
                try directive(line, schema: schema, fail)
                continue
            }
            guard let equals = line.firstIndex(of: "=") else {
                throw fail("expected `field = source`, found `\(line)`")
            }
            guard var record = records.popLast() else { throw fail("`@model NAME` must come before the first field") }
            let field = String(line[..<equals]).trimmed
            let expression = try ImportExpression(
                String(line[line.index(after: equals)...]).trimmed, fail: fail)
            guard let schemaField = record.model.field(field) else {
                throw fail("\(record.model.name) has no field \(field)")
            }
            guard !record.fields.contains(where: { $0.field.name == field }) else {
                throw fail("\(field) is set twice")
            }
            record.fields.append((schemaField, expression, number))
            records.append(record)
        }
        guard !files.isEmpty else {
            throw ImportError(file: name, message: "no `@file PATTERN` says which files it serves")
        }
        guard !records.isEmpty else {
            throw ImportError(file: name, message: "no `@model NAME` says what the rows make")
        }
        try check()
    }

    private mutating func directive(
        _ line: String, schema: Schema, _ fail: (String) -> ImportError
    ) throws(ImportError) {
        let words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        switch words[0] {
        case "@file":
            guard words.count > 1 else { throw fail("@file needs a file name or pattern") }
            files += words.dropFirst()
        case "@format":
            for word in words.dropFirst() {
                switch word {
                case "separator=tab": format.separator = UInt8(ascii: "\t")
                case "separator=comma":
                    format.separator = UInt8(ascii: ",")
                    format.quoted = true
                case "separator=semicolon":
                    format.separator = UInt8(ascii: ";")
                    format.quoted = true
                case "header=yes": format.hasHeader = true
                case "header=no": format.hasHeader = false
                case "quote=yes": format.quoted = true
                case "quote=no": format.quoted = false
                default:
                    throw fail(
                        "@format knows separator=tab|comma|semicolon, header=yes|no, quote=yes|no; not `\(word)`")
                }
            }
        case "@model":
            guard words.count > 1, let model = schema.model(words[1]) else {
                throw fail("there is no model \(words.count > 1 ? words[1] : "(none named)")")
            }
            let rest = words.dropFirst(2).joined(separator: " ")
            var key: [String] = []
            var alias: ImportExpression?
            if let range = rest.range(of: "alias=") {
                alias = try ImportExpression(String(rest[range.upperBound...]), fail: fail)
            }
            for word in words.dropFirst(2) where word.hasPrefix("key=") {
                key = word.dropFirst(4).split(separator: ",").map(String.init)
            }
            for field in key where model.field(field) == nil { throw fail("\(model.name) has no field \(field)") }
            guard !key.isEmpty else { throw fail("@model \(model.name) needs key=FIELD[,FIELD…]") }
            records.append(RecordMapping(model: model, key: key, alias: alias))
        default: throw fail("unknown directive \(words[0]); there are @file, @format and @model")
        }
    }

    private func check() throws(ImportError) {
        for record in records {
            for field in record.model.fields where field.isRequired && !field.isReadOnly && field.name != "id" {
                guard field.defaultValue != nil || record.fields.contains(where: { $0.field.name == field.name }) else {
                    throw ImportError(
                        file: name, message: "\(record.model.name).\(field.name) is required and has no source")
                }
            }
        }
    }
}

/// Whether a file name matches a pattern in which `*` stands for any text; case does not matter.
func matches(pattern: String, _ name: String) -> Bool {
    let parts = pattern.lowercased().split(separator: "*", omittingEmptySubsequences: false)
    var rest = Substring(name.lowercased())
    for (index, part) in parts.enumerated() {
        if index == 0 {
            guard rest.hasPrefix(part) else { return false }
            rest = rest.dropFirst(part.count)
            if parts.count == 1 { return rest.isEmpty }
        } else if index == parts.count - 1 {
            return rest.hasSuffix(part)
        } else if let range = rest.range(of: part) {
            rest = rest[range.upperBound...]
        } else {
            return false
        }
    }
    return true
}

extension String {
    /// The text without blanks, tabs and carriage returns at both ends.
    var trimmed: String {
        var view = Substring(self)
        while let first = view.first, first.isWhitespace { view.removeFirst() }
        while let last = view.last, last.isWhitespace { view.removeLast() }
        return String(view)
    }
}
