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
    var sortKey: [Value] = []
    var hasMore = false

    /// It ended with this row.
    mutating func pass(_ row: StatementRow, _ walk: Walk) {
        self.row = row.rowID
        // What departed comes behind the range, whose end is enough to go on from.
        if walk.kind == .changes { position = min(row.lastChangedAt, (walk.startedAt ?? 0) + 1) }
        if !walk.sort.isEmpty { sortKey = walk.sort.map { row.value($0) } }
    }

    /// What the next page's token says of an index walk. Of a row that not everybody may read, not even how long its
    /// fields are shows.
    func sortKey(_ walk: Walk) -> [Value]? {
        guard walk.kind == .index else { return nil }
        let isOpen = walk.sight.rows == .all && walk.sight.isClear
        return PageToken.isShort(sortKey) || (isOpen && PageToken.fits(sortKey)) ? sortKey : nil
    }
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
        if items.isEmpty { token = try page(walk, nil, request, &encoder) { _ in path() }.token }
        // Rows are written as they are read; the page's other fields follow from where it ended.
        for field in items {
            var inner = encoder.inner(beside: written.reduce(0) { $0 + $1.count }, capacity: 4096)
            let page = try page(walk, field, request, &inner) { path() + [.field(field.key), .index($0)] }
            token = page.token
            encoder.take(inner)
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

    /// Writes the only row of a walk as `field` selects it; null where there is none.
    ///
    /// - Throws: `ResponseError` where a limit was met before it was found.
    func encodeOnly(
        _ walk: Walk, _ field: SelectedField, _ request: RunnableRequest, into encoder: inout RowEncoder,
        path: () -> [ResponseError.PathElement]
    ) throws {
        var inner = encoder.inner()
        let page = try page(walk, field, request, &inner) { _ in path() }
        guard page.count > 0 else {
            if page.token != nil { try budget.resolve() }
            return encoder.writer.raw("null")
        }
        encoder.take(inner)
        encoder.writer.bytes.append(contentsOf: inner.writer.bytes.dropFirst().dropLast())
    }

    private func page(
        _ walk: Walk, _ field: SelectedField?, _ request: RunnableRequest, _ encoder: inout RowEncoder,
        path: (Int) -> [ResponseError.PathElement]
    ) throws -> (count: Int, token: String?) {
        let model = walk.model
        let selection = field?.selection
        let relations = selection?.hasRelations == true ? resolver(request) : nil
        var end = PageEnd(position: walk.position, row: walk.row)
        var outside: [String] = []
        if field != nil { encoder.writer.raw("[") }
        try rows(walk) { statement in
            let row = StatementRow(statement: statement, model: model)
            var copy: HubRow?
            if !walk.isOpen {
                let stored = row.copy
                // Rows that the caller may not read do not count: neither a page's end nor its token may tell of them.
                let gone = try walk.sight.named.allows(stored.values) ? nil : left(stored, walk)
                guard let readable = gone ?? (walk.isReadable(stored) ? stored : nil) else {
                    budget.pass()
                    guard budget.isLate else { return true }
                    end.pass(row, walk)
                    end.hasMore = true
                    return false
                }
                copy = readable
            }
            guard end.found < walk.limit, end.examined < Self.scanLimit, end.examined == 0 || !budget.isSpent else {
                end.hasMore = true
                return false
            }
            end.examined += 1
            budget.look(cost: walk.cost)
            end.pass(row, walk)
            if let copy, !walk.passes(copy) {
                if walk.leftKey != nil, walk.showsKey(of: copy) {
                    let key = model.key(of: copy.values)
                    budget.count(grown: key.utf8.count + 3, since: budget.bytes)
                    outside.append(key)
                }
                return true
            }
            if let selection {
                if end.found > 0 { encoder.writer.raw(",") }
                let index = end.found
                let (start, before) = (encoder.written, budget.bytes)
                if let copy {
                    let (shown, hidden) = walk.sight.shown(copy)
                    encoder.encode(shown, selection, model, relations, hidden: hidden) { path(index) }
                } else if walk.sight.isClear {
                    encoder.encode(row, selection, model, relations) { path(index) }
                } else {
                    let (shown, hidden) = walk.sight.shown(row.copy)
                    encoder.encode(shown, selection, model, relations, hidden: hidden) { path(index) }
                }
                budget.count(grown: encoder.written - start, since: before)
            }
            end.found += 1
            return true
        }
        if field != nil { encoder.writer.raw("]") }
        if let key = walk.leftKey { noteLeft(outside, key) }
        guard end.hasMore else { return (end.found, nil) }
        let token = PageToken(
            walk: walk.kind, startedAt: walk.startedAt ?? 0, position: end.position, row: end.row,
            lastRow: walk.lastRow, sortKey: end.sortKey(walk))
        return (end.found, token.sealed(walk.binding, key: tokenKey, unique: uniqueText()))
    }

    /// Steps through the rows of a walk; `body` gives false to stop.
    private func rows(_ walk: Walk, _ body: (Statement) throws -> Bool) throws {
        let table = tables[walk.model.index]
        // Where rows are passed over, `body` says when it is enough.
        let limit = walk.isOpen ? Int64(walk.limit) + 1 : -1
        @discardableResult
        func each(_ statement: Statement) throws -> Bool {
            while try statement.step() { guard try body(statement) else { return false } }
            return true
        }
        let rights = RowCondition(walk)
        switch walk.kind {
        case .base:
            if let rights {
                try connection.withStatement(table.walkSQL(rights.sql)) { statement in
                    let next = statement.bind([.integer(walk.row), .integer(walk.lastRow)] + rights.bindings)
                    statement.bind(limit, at: next)
                    try each(statement)
                }
                return
            }
            try connection.withStatement(table.walkText) { statement in
                statement.bind(walk.row, at: 1)
                statement.bind(walk.lastRow, at: 2)
                statement.bind(limit, at: 3)
                try each(statement)
            }
        case .changes:
            let range: [Value] = [.integer(walk.position), .integer(walk.row), .integer(walk.startedAt ?? 0)]
            let goesOn: Bool
            if let rights {
                goesOn = try connection.withStatement(table.changesSQL(rights.sql)) { statement in
                    statement.bind(limit, at: statement.bind(range + rights.bindings))
                    return try each(statement)
                }
            } else {
                goesOn = try connection.withStatement(table.changesText) { statement in
                    statement.bind(limit, at: statement.bind(range))
                    return try each(statement)
                }
            }
            guard goesOn, let departed = departures(of: walk) else { return }
            try connection.withStatement(table.departedText) { statement in
                statement.bind(departed)
                try each(statement)
            }
        case .index:
            for part in walk.parts {
                let goesOn = try connection.withStatement(part.sql) { statement in
                    statement.bind(part.bindings)
                    return try each(statement)
                }
                guard goesOn else { return }
            }
        }
    }
}
