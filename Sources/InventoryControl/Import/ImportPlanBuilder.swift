import Basics
import Models

/// Makes candidates of rows: resolves references, checks values, drops equal repetitions, rejects the rest by name.
struct ImportPlanBuilder {
    let schema: Schema
    let environment: ImportEnvironment
    private(set) var candidates: [ImportPlan.Candidate] = []
    private(set) var rejected: [RejectedLine] = []
    /// By model: the texts that a record is known by, with its id.
    private var known: [String: [String: String]] = [:]
    /// By model and id: the position in `candidates`.
    private var positions: [String: [String: Int]] = [:]

    init(schema: Schema, environment: ImportEnvironment) {
        self.schema = schema
        self.environment = environment
    }

    /// Why a value was not taken.
    private struct Rejection: Error {
        let column: String
        let value: String
        let reason: String
    }

    mutating func run(_ job: ImportJob) {
        for row in job.context.text.rows {
            do throws(Rejection) {
                try take(row, job)
            } catch {
                rejected.append(
                    RejectedLine(
                        file: job.context.file, line: row.line, column: error.column, value: error.value,
                        reason: error.reason))
            }
        }
    }

    private mutating func take(_ row: DelimitedRow, _ job: ImportJob) throws(Rejection) {
        let model = job.record.model
        var record = Record(schema: model, values: Array(repeating: .null, count: model.fields.count))
        var made: Set<Int> = []
        for (field, expression, _) in job.record.fields {
            guard let position = model.position(of: field.name) else { continue }
            if case .checkDigits = expression.source { made.insert(position) }
            record.values[position] = try value(field, expression, row, job)
        }
        for (position, field) in model.fields.enumerated() where record.values[position].isNull {
            if let text = field.defaultValue { record.values[position] = try stored(text, field, model, "default") }
        }
        let key = job.record.key.map { keyText(record[$0]) }
        let id = environment.makeID(model.name, key)
        record["id"] = .text(id)
        try add(ImportPlan.Candidate(record: record, made: made, file: job.context.file, line: row.line), key: key)
        if let alias = job.record.alias, let text = alias.transformed(try text(alias.source, row, job)) {
            known[model.name, default: [:]][text] = id
        }
    }

    private mutating func add(_ candidate: ImportPlan.Candidate, key: [String]) throws(Rejection) {
        let name = candidate.record.schema.name
        let id = candidate.record.id
        if let position = positions[name]?[id] {
            let other = candidates[position]
            for (index, field) in candidate.record.schema.fields.enumerated()
            where !candidate.made.contains(index) && candidate.record.values[index] != other.record.values[index] {
                throw Rejection(
                    column: "\(name).\(field.name)", value: keyText(candidate.record.values[index]),
                    reason: "line \(other.line) of \(other.file) already gives \(name) \(key.joined(separator: " / ")) "
                        + "the value \(keyText(other.record.values[index]))")
            }
            return
        }
        positions[name, default: [:]][id] = candidates.count
        known[name, default: [:]][key.joined(separator: "\u{1F}")] = id
        candidates.append(candidate)
    }

    private func value(
        _ field: FieldSchema, _ expression: ImportExpression, _ row: DelimitedRow, _ job: ImportJob
    ) throws(Rejection) -> Value {
        let model = job.record.model
        switch expression.source {
        case .checkDigits: return .text("")
        case .reference(let target, let source):
            guard let key = expression.transformed(try text(source, row, job)) else {
                if field.isRequired { throw missing(field, expression, model) }
                return .null
            }
            if let id = known[target]?[key] { return .text(id) }
            let id = environment.makeID(target, [key])
            guard environment.exists(target, id) else {
                throw Rejection(
                    column: expression.columnName, value: key,
                    reason: "there is no \(target) \(key) in the store or in these files; give the file that has it too"
                )
            }
            return .text(id)
        default:
            guard let text = expression.transformed(try text(expression.source, row, job)) else {
                if field.isRequired, field.defaultValue == nil { throw missing(field, expression, model) }
                return .null
            }
            return try stored(text, field, model, expression.columnName)
        }
    }

    private func missing(_ field: FieldSchema, _ expression: ImportExpression, _ model: ModelSchema) -> Rejection {
        Rejection(
            column: expression.columnName, value: "",
            reason: "\(model.name).\(field.name) is required and this is empty")
    }

    /// The text of a source in one row, before its transforms.
    private func text(
        _ source: ImportExpression.Source, _ row: DelimitedRow, _ job: ImportJob
    ) throws(Rejection) -> String? {
        switch source {
        case .column(let number):
            guard let text = row.column(number) else {
                throw Rejection(
                    column: "column \(number)", value: "", reason: "this line has only \(row.columns.count) columns")
            }
            return text
        case .namedColumn(let name):
            guard let index = job.context.text.header.firstIndex(of: name) else {
                throw Rejection(column: "column \(name)", value: "", reason: "the header names no such column")
            }
            return row.column(index + 1)
        case .constant(let text): return text
        case .compose(let parts):
            var result = ""
            for part in parts {
                switch part {
                case .text(let text): result += text
                case .column(let number, let width):
                    let text = try text(.column(number), row, job)?.trimmed ?? ""
                    result += String(repeating: "0", count: max(0, width - text.count)) + text
                }
            }
            return result
        case .order(let columns): return String(job.context.rank(of: row, columns))
        case .fileHash: return job.context.sha256
        case .fileLines: return String(job.context.text.rows.count)
        case .newest(let column): return job.context.newest(column)
        case .checkDigits, .reference: return nil
        }
    }

    /// Reads text as a field's type.
    private func stored(
        _ text: String, _ field: FieldSchema, _ model: ModelSchema, _ column: String
    ) throws(Rejection) -> Value {
        do throws(WireError) {
            if field.isList {
                let elements = text.split(separator: ";").map { wire(String($0).trimmed, field.type) }
                return try schema.storageValue(of: .array(elements), for: field, in: model.name)
            }
            return try schema.storageValue(of: wire(text, field.type), for: field, in: model.name)
        } catch {
            throw Rejection(column: column, value: text, reason: error.message)
        }
    }

    private func wire(_ text: String, _ type: FieldType) -> JSONValue {
        guard case .scalar(let scalar) = type else { return .string(text) }
        switch scalar {
        case .int, .awsTimestamp: return Int64(text).map { .integer($0) } ?? .string(text)
        case .float, .decimal:
            // Plain digits only: a numeral that JSON would not take (`.5`, `+3`) is read by its value.
            return decimalUnits(text, places: 9).map { .number(decimalText($0, places: 9)) } ?? .string(text)
        case .boolean:
            switch text.lowercased() {
            case "true", "yes", "y", "1": return .bool(true)
            case "false", "no", "n", "0": return .bool(false)
            default: return .string(text)
            }
        default: return .string(text)
        }
    }

    /// Gives the bins their check digits, in walking order so that neighbours differ.
    mutating func makeCheckDigits() {
        let indexes = candidates.indices.filter { !candidates[$0].made.isEmpty }
            .sorted { a, b in
                let x = candidates[a].record
                let y = candidates[b].record
                return (x["walkSequence"].integer ?? 0, keyText(x["code"])) < (
                    y["walkSequence"].integer ?? 0, keyText(y["code"])
                )
            }
        let digits = environment.checkDigits(indexes.map { keyText(candidates[$0].record["code"]) })
        for (index, text) in zip(indexes, digits) {
            for position in candidates[index].made { candidates[index].record.values[position] = .text(text) }
        }
    }
}

extension ImportExpression {
    /// What a report calls the source.
    var columnName: String { source.name }
}

extension ImportExpression.Source {
    var name: String {
        switch self {
        case .column(let number): "column \(number)"
        case .namedColumn(let name): "column \(name)"
        case .constant: "constant"
        case .compose(let parts):
            "columns "
                + parts.compactMap { if case .column(let number, _) = $0 { String(number) } else { nil } }.joined(
                    separator: "+")
        case .reference(_, let source): source.name
        case .order(let columns): "order " + columns.map { String($0) }.joined(separator: "+")
        case .checkDigits: "digits"
        case .fileHash: "fileHash"
        case .fileLines: "fileLines"
        case .newest(let column): "newest \(column)"
        }
    }
}
