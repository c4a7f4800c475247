import AppSync
import Basics
import Models
import SQLite

/// Where a page ended.
private struct PageEnd {
    var found = 0
    var examined = 0
    var position: Int64
    var row: Int64
    var hasMore = false
}

extension QueryRunner {
    /// Reads a page and writes it as a connection.
    func encode(
        _ walk: Walk, _ selection: ObjectSelection, _ model: ModelInfo, _ request: RunnableRequest,
        into encoder: inout RowEncoder, path: () -> [ResponseError.PathElement]
    ) throws {
        let items = selection.fields.filter { if case .items = $0.definition.source { true } else { false } }
        var written: [[UInt8]] = []
        var token: String?
        if items.isEmpty { token = try page(walk, nil, request, &encoder, path: path).token }
        // Rows are written as they are read; the page's other fields follow from where it ended.
        for field in items {
            var inner = RowEncoder(engine.schema, capacity: 4096)
            let page = try page(walk, field, request, &inner) { path() + [.field(field.key)] }
            token = page.token
            encoder.errors += inner.errors
            written.append(inner.writer.bytes)
        }
        var nextItem = 0
        encoder.writer.raw("{")
        for (index, field) in selection.fields.enumerated() {
            if index > 0 { encoder.writer.raw(",") }
            encoder.writer.bytes.append(contentsOf: field.keyBytes)
            switch field.definition.source {
            case .items:
                encoder.writer.bytes.append(contentsOf: written[nextItem])
                nextItem += 1
            case .nextToken: if let token { encoder.writer.string(token) } else { encoder.writer.raw("null") }
            case .startedAt:
                if let startedAt = walk.startedAt {
                    encoder.writer.integer(startedAt)
                } else {
                    encoder.writer.raw("null")
                }
            default: encoder.writer.string(selection.typeName)
            }
        }
        encoder.writer.raw("}")
    }

    private func page(
        _ walk: Walk, _ field: SelectedField?, _ request: RunnableRequest, _ encoder: inout RowEncoder,
        path: () -> [ResponseError.PathElement]
    ) throws -> (count: Int, token: String?) {
        let model = walk.model
        let selection = field?.selection
        let relations = selection?.hasRelations == true ? resolver(request) : nil
        var end = PageEnd(position: walk.position, row: walk.row)
        if field != nil { encoder.writer.raw("[") }
        try rows(walk) { statement in
            guard end.found < walk.limit, end.examined < Self.scanLimit else {
                end.hasMore = true
                return false
            }
            let row = StatementRow(statement: statement, fieldCount: model.schema.fields.count)
            end.examined += 1
            end.row = row.rowID
            end.position = walk.kind == .changes ? row.lastChangedAt : end.position + 1
            if !walk.isOpen, !walk.passes(row.copy) { return true }
            if let selection {
                if end.found > 0 { encoder.writer.raw(",") }
                let index = end.found
                encoder.encode(row, selection, model, relations) { path() + [.index(index)] }
            }
            end.found += 1
            return true
        }
        if field != nil { encoder.writer.raw("]") }
        guard end.hasMore else { return (end.found, nil) }
        let token = PageToken(
            walk: walk.kind, startedAt: walk.startedAt ?? 0, position: end.position, row: end.row, lastRow: walk.lastRow
        )
        return (end.found, token.sealed(walk.binding, key: tokenKey))
    }

    /// Steps through the rows of a walk; `body` gives false to stop.
    private func rows(_ walk: Walk, _ body: (Statement) throws -> Bool) throws {
        let table = tables[walk.model.index]
        let limit = walk.isOpen ? walk.limit + 1 : Self.scanLimit + 1
        func each(_ statement: Statement) throws {
            while try statement.step() { guard try body(statement) else { return } }
        }
        switch walk.kind {
        case .base:
            try connection.withStatement(table.walkText) { statement in
                statement.bind(walk.row, at: 1)
                statement.bind(walk.lastRow, at: 2)
                statement.bind(limit, at: 3)
                try each(statement)
            }
        case .changes:
            try connection.withStatement(table.changesText) { statement in
                statement.bind(walk.position, at: 1)
                statement.bind(walk.row, at: 2)
                statement.bind(walk.startedAt ?? .max, at: 3)
                statement.bind(limit, at: 4)
                try each(statement)
            }
        case .index:
            guard let sql = walk.sql else { return }
            try connection.withStatement(sql) { statement in
                let next = statement.bind(walk.bindings)
                statement.bind(walk.position, at: next)
                try each(statement)
            }
        }
    }
}
