import AppSync
import Basics
import Models
import SQLite

/// Gives a row's columns where they lie: a row in memory, or one that a statement stands on.
protocol RowSource {
    var version: Int64 { get }
    var isDeleted: Bool { get }
    var lastChangedAt: Int64 { get }
    func isNull(_ position: Int) -> Bool
    func integer(_ position: Int) -> Int64
    func real(_ position: Int) -> Double
    /// Lends the UTF-8 of a text column.
    func withText<R>(_ position: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R
    /// The text of a date that is not in the service's own form.
    func dateTimeText(_ position: Int) -> String?
    func value(_ position: Int) -> Value
}

extension HubRow: RowSource {
    var isDeleted: Bool { deleted }
    func isNull(_ position: Int) -> Bool { values[position].isNull }
    func integer(_ position: Int) -> Int64 { values[position].integer ?? 0 }
    func real(_ position: Int) -> Double {
        switch values[position] {
        case .real(let value): value
        case .integer(let value): Double(value)
        default: 0
        }
    }
    func withText<R>(_ position: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        guard case .text(var text) = values[position] else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        return text.withUTF8(body)
    }
    func dateTimeText(_ position: Int) -> String? { values[position].text }
    func value(_ position: Int) -> Value { values[position] }
}

/// A row of a base table in the hub's own column order: the fields, `_version`, `_deleted`, `_lastChangedAt`, `_row`,
/// `_texts`.
struct StatementRow: RowSource {
    let statement: Statement
    let model: ModelInfo
    private let fieldCount: Int

    init(statement: Statement, model: ModelInfo) {
        self.statement = statement
        self.model = model
        fieldCount = model.schema.fields.count
    }

    var version: Int64 { statement.integer(at: fieldCount) }
    var isDeleted: Bool { statement.integer(at: fieldCount + 1) != 0 }
    var lastChangedAt: Int64 { statement.integer(at: fieldCount + 2) }
    var rowID: Int64 { statement.integer(at: fieldCount + 3) }
    func isNull(_ position: Int) -> Bool { statement.isNull(at: position) }
    func integer(_ position: Int) -> Int64 { statement.integer(at: position) }
    func real(_ position: Int) -> Double { statement.real(at: position) }
    func withText<R>(_ position: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        statement.withUTF8(at: position) { body($0 ?? UnsafeBufferPointer(start: nil, count: 0)) }
    }
    private var hasTexts: Bool { !statement.isNull(at: fieldCount + 4) }
    func dateTimeText(_ position: Int) -> String? {
        guard hasTexts else { return nil }
        return DateTimeTexts.Texts(statement.text(at: fieldCount + 4))
            .text(of: model.schema.fields[position], at: integer(position))
    }
    /// The column, which of a date is the instant.
    func value(_ position: Int) -> Value { statement.value(at: position) }

    /// The row in memory.
    var copy: HubRow {
        var values: [Value] = []
        values.reserveCapacity(fieldCount)
        for column in 0..<fieldCount { values.append(statement.value(at: column)) }
        if hasTexts {
            let texts = DateTimeTexts.Texts(statement.text(at: fieldCount + 4))
            for position in model.dateTimes {
                guard let instant = values[position].integer else { continue }
                if let text = texts.text(of: model.schema.fields[position], at: instant) {
                    values[position] = .text(text)
                }
            }
        }
        return HubRow(
            rowID: rowID, values: values, version: version, deleted: isDeleted, lastChangedAt: lastChangedAt)
    }
}

/// Gives the answers of fields that reach into other models.
protocol RelationResolver {
    /// Writes a relation's value; false where it must be null and may not be.
    func encodeRelation(
        _ relation: RelationSchema, of row: some RowSource, _ model: ModelInfo, _ field: SelectedField,
        into encoder: inout RowEncoder, path: () -> [ResponseError.PathElement]
    )
}

/// Writes rows as JSON, as a selection asks for them.
///
/// All that it writes of one answer has a ceiling (``HubLimits/answerCeiling``): a row that comes to it is null, with an
/// error that says so, and so is every row after it.
struct RowEncoder {
    var writer: JSONWriter
    var errors = AnswerErrors()
    private var ceiling: Int
    /// What is said of a row that comes to the ceiling.
    private let tooLarge: ResponseError
    /// Bytes that were taken back, and those of stored JSON that was read for what was selected of it.
    private var besides = 0

    /// - Parameter isCarriedOut: Whether the rows answer mutations, which are carried out whatever of them is answered.
    init(_ limits: HubLimits, isCarriedOut: Bool = false, capacity: Int = 1024) {
        ceiling = limits.answerCeiling
        var tooLarge = limits.answerTooLarge
        if isCarriedOut { tooLarge.message = "The mutation was carried out. " + tooLarge.message }
        self.tooLarge = tooLarge
        writer = JSONWriter(capacity: capacity)
    }

    /// What the answer has cost so far, in bytes: what was taken back counts as well.
    var written: Int { writer.bytes.count + besides }

    private var isOver: Bool { written > ceiling }

    /// An encoder for a part of this answer, while `beside` bytes more wait to be appended to it.
    func inner(beside: Int = 0, capacity: Int = 1024) -> RowEncoder {
        var inner = self
        inner.writer = JSONWriter(capacity: capacity)
        inner.errors = AnswerErrors()
        inner.besides = 0
        inner.ceiling -= written + beside
        return inner
    }

    /// Takes over all of a part but its bytes.
    mutating func take(_ inner: RowEncoder) {
        errors += inner.errors
        besides += inner.besides
    }

    /// Where a value begins that may have to be taken back.
    var mark: Int { writer.bytes.count }

    /// Writes `null` in place of all that was written since a mark.
    mutating func takeBack(to mark: Int) {
        besides += writer.bytes.count - mark
        writer.bytes.removeLast(writer.bytes.count - mark)
        writer.raw("null")
    }

    /// Writes one row as an object, or `null` where a field that may not be null is: GraphQL's bubbling.
    ///
    /// What is `hidden` of the row is null, with an error that says so.
    mutating func encode(
        _ row: some RowSource, _ selection: ObjectSelection, _ model: ModelInfo, _ relations: (any RelationResolver)?,
        hidden: Hidden = .nothing, path: () -> [ResponseError.PathElement]
    ) {
        let isGuarded = !hidden.isEmpty
        let mark = self.mark
        writer.raw("{")
        var isFirst = true
        for field in selection.fields {
            if !isFirst { writer.raw(",") }
            isFirst = false
            writer.bytes.append(contentsOf: field.keyBytes)
            let start = writer.bytes.count
            if isGuarded, hidden.covers(field, model) {
                deny(field, model, path() + [.field(field.key)])
                guard field.isNonNull else { continue }
                return takeBack(to: mark)
            }
            switch field.definition.source {
            case .column(let position): column(row, position, model.schema.fields[position], field)
            case .version: writer.integer(row.version)
            case .deleted: if row.isDeleted { writer.raw("true") } else { writer.raw("null") }
            case .lastChangedAt: writer.integer(row.lastChangedAt)
            case .typename: writer.string(selection.typeName)
            case .relation(let relation):
                if let relations {
                    relations.encodeRelation(relation, of: row, model, field, into: &self) {
                        path() + [.field(field.key)]
                    }
                } else {
                    writer.raw("null")
                }
            default: writer.raw("null")
            }
            if field.isNonNull, writer.bytes.count == start + 4, writer.bytes[start] == UInt8(ascii: "n") {
                let way = path() + [.field(field.key)]
                errors.append(Self.nullError(field, selection.typeName, way))
                return takeBack(to: mark)
            }
            if isOver {
                var error = tooLarge
                (error.path, error.locations) = (path(), [field.location])
                errors.append(error)
                return takeBack(to: mark)
            }
        }
        writer.raw("}")
    }

    private mutating func deny(_ field: SelectedField, _ model: ModelInfo, _ path: [ResponseError.PathElement]) {
        writer.raw("null")
        let denied = FieldDenied(field: field.definition.name, type: model.schema.name)
        errors.deny(denied, path: path, locations: [field.location])
    }

    /// Notes what a root field failed of.
    mutating func fail(_ error: ResponseError, at field: SelectedField) {
        var error = error
        error.path = [.field(field.key)]
        error.locations = [field.location]
        errors.append(error)
    }

    static func nullError(
        _ field: SelectedField, _ parent: String, _ path: [ResponseError.PathElement]
    ) -> ResponseError {
        let way = path.map { element in
            switch element {
            case .field(let name): name
            case .index(let index): "[\(index)]"
            }
        }
        return ResponseError(
            "Cannot return null for non-nullable type: '\(field.definition.type.nullable)' within parent '\(parent)' "
                + "(/\(way.joined(separator: "/").replacingAll("/[", with: "[")))",
            path: path, locations: [field.location])
    }

    private mutating func column(_ row: some RowSource, _ position: Int, _ schema: FieldSchema, _ field: SelectedField)
    {
        guard !row.isNull(position) else {
            writer.raw("null")
            return
        }
        if schema.isList {
            if let selection = field.selection {
                embedded(row.value(position), selection)
            } else {
                row.withText(position) { writer.bytes.append(contentsOf: $0) }
            }
            return
        }
        switch schema.type {
        case .embedded:
            if let selection = field.selection { embedded(row.value(position), selection) } else { writer.raw("null") }
        case .enumeration: row.withText(position) { writer.quoted($0) }
        case .scalar(let scalar):
            switch scalar {
            case .int, .awsTimestamp: writer.integer(row.integer(position))
            case .boolean: if row.integer(position) != 0 { writer.raw("true") } else { writer.raw("false") }
            case .awsDateTime:
                if let text = row.dateTimeText(position) {
                    writer.string(text)
                } else {
                    writer.dateTime(row.integer(position))
                }
            case .decimal(let places): writer.decimal(row.integer(position), places: places)
            case .float: writer.value(ScalarType.float.wireValue(of: .real(row.real(position))))
            default: row.withText(position) { writer.quoted($0) }
            }
        }
    }

    /// An embedded value, or a list of them, from its stored JSON.
    private mutating func embedded(_ value: Value, _ selection: ObjectSelection) {
        guard case .text(let text) = value, let json = try? JSONValue(parsing: text) else {
            writer.raw("null")
            return
        }
        besides += text.utf8.count
        self.embedded(json, selection)
    }

    private mutating func embedded(_ json: JSONValue, _ selection: ObjectSelection) {
        switch json {
        case .array(let elements):
            writer.raw("[")
            for (index, element) in elements.enumerated() where !isOver {
                if index > 0 { writer.raw(",") }
                embedded(element, selection)
            }
            writer.raw("]")
        case .object(let object):
            writer.raw("{")
            for (index, field) in selection.fields.enumerated() where !isOver {
                if index > 0 { writer.raw(",") }
                writer.bytes.append(contentsOf: field.keyBytes)
                if case .typename = field.definition.source {
                    writer.string(selection.typeName)
                } else if let inner = object[field.definition.name] {
                    if let selection = field.selection { embedded(inner, selection) } else { writer.value(inner) }
                } else {
                    writer.raw("null")
                }
            }
            writer.raw("}")
        default: writer.raw("null")
        }
    }
}
