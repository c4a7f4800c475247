import AppSync
import Basics
import ModelTables
import Models
import SQLite

/// One page of rows to read: where it starts, which rows pass, and how its token is bound.
struct Walk {
    var kind: PageToken.Walk
    let model: ModelInfo
    let sight: Sight
    let filter: RowFilter
    let limit: Int
    /// Whether the connection has a `startedAt`.
    let startedAt: Int64?
    /// What tokens of this query are bound to.
    let binding: String
    var position: Int64 = 0
    var row: Int64 = 0
    var lastRow: Int64 = .max
    /// Of an index walk: what is read, one part after the other.
    var parts: [SQLCondition] = []
    /// Of an index walk: what its rows are sorted by, before their numbers.
    var sort: [Int] = []
    /// Fields by which the walk finds its rows: what does not show them is not found.
    var required: Set<Int> = []
    /// Whether deleted rows are passed over.
    var skipsDeleted = false
    /// The buckets whose rows are asked for.
    var buckets: Buckets?
    /// Where a delta began: rows that left the caller's sight since then are told to him.
    var leftSince: Int64?

    /// Of a delta: under which name the rows are told that are outside of its filter; nil where nobody asks.
    var leftKey: String?

    /// What looking at a row costs.
    let cost: Int

    struct Buckets {
        let bits: Int
        let numbers: Set<Int>
    }

    /// Whether there is such a row for the caller: one that hides what the walk finds its rows by is none, since its very
    /// place tells what it hides.
    func isReadable(_ row: HubRow) -> Bool {
        guard sight.rows.allows(row.values) else { return false }
        return required.isEmpty || sight.isClear || sight.hidden(in: row.values).positions.isDisjoint(with: required)
    }

    /// Whether a row passes; rights come first, so that a filter never learns of a row it may not.
    func passes(_ row: HubRow) -> Bool {
        guard isReadable(row), !(skipsDeleted && row.deleted) else { return false }
        guard filter.matches(sight.isClear ? row : sight.shown(row).row, model.schema) else { return false }
        guard let buckets else { return true }
        return buckets.numbers.contains(RecordDigest.bucket(of: model.key(of: row.values), bits: buckets.bits))
    }

    /// Whether the caller may see by which key a row goes.
    func showsKey(of row: HubRow) -> Bool {
        sight.isClear || sight.shown(row).hidden.positions.isDisjoint(with: model.keyPositions)
    }

    init(
        kind: PageToken.Walk, model: ModelInfo, sight: Sight, filter: RowFilter, limit: Int, startedAt: Int64?,
        binding: String
    ) {
        self.kind = kind
        self.model = model
        self.sight = sight
        self.filter = filter
        self.limit = limit
        self.startedAt = startedAt
        self.binding = binding
        cost = 1 + filter.parts / 16
    }

    /// Whether every row passes, so that none need be looked at.
    var isOpen: Bool {
        sight.rows == .all && sight.named == .all && filter == .all && buckets == nil && !skipsDeleted
            && (required.isEmpty || sight.isClear)
    }
}

extension QueryRunner {
    /// Plans a list, a sync or an index query.
    func walk(
        _ root: RootField, _ field: SelectedField, _ model: ModelInfo, _ sight: Sight, _ request: RunnableRequest
    ) throws -> Walk {
        let variables = request.variables
        let filter = try engine.filter("filter", of: field, model, variables)
        try FieldDenied.check(filter.positions, sight, model)
        let limit = try self.limit(field, variables)
        let token = try engine.argument("nextToken", of: field, variables)?.string
        var lastSync: Int64 = 0
        if root.kind == .sync { lastSync = try engine.argument("lastSync", of: field, variables)?.integer ?? 0 }
        var binding = "\(root.name)|\(lastSync)|" + (try boundArguments(of: field, variables))
        let digest = root.kind == .sync ? request.digests[field.key] : nil
        if let digest { binding += "digest=\(digest.json.canonical.text);" }
        let opened = try open(token, binding)
        let startedAt: Int64?
        if root.kind == .sync {
            let clock = try clock()
            startedAt = opened?.startedAt ?? clock.stamp
            // A delta is whole only where no tombstone since `lastSync` is gone, and this history is the caller's.
            let isDelta = lastSync > 0 && lastSync > clock.prunedThrough && lastSync <= clock.stamp
            var walk = Walk(
                kind: isDelta ? .changes : .base, model: model, sight: sight, filter: filter, limit: limit,
                startedAt: startedAt, binding: binding)
            if isDelta { walk.position = lastSync - 1; walk.row = .max }
            if lastSync > 0, !model.readerFields.isEmpty { walk.leftSince = lastSync }
            if case .fetch(let bits, let numbers)? = digest {
                walk.buckets = Walk.Buckets(bits: bits, numbers: numbers)
            }
            // A delta whose beginning is forgotten by now could miss a deletion on the pages that are left. Asked for again
            // from its first page, it is everything and says so.
            if opened?.walk == .changes, !isDelta { throw PageError.invalidToken }
            walk = try resumed(walk, opened)
            if request.asksLeft, walk.kind == .changes { walk.leftKey = field.key }
            if opened == nil { try note(walk, field.key, digest, isGap: lastSync > 0 && !isDelta) }
            if case .compare? = digest { walk.lastRow = 0 }
            return walk
        }
        startedAt = nil
        var walk = Walk(
            kind: .base, model: model, sight: sight, filter: filter, limit: limit, startedAt: startedAt,
            binding: binding)
        try planIndex(&walk, root, field, request, opened)
        return walk.kind == .index ? walk : try resumed(walk, opened)
    }

    /// The arguments that a page token belongs to: all but those that may differ from page to page.
    func boundArguments(of field: SelectedField, _ variables: Variables) throws(InputError) -> String {
        var text = ""
        for argument in field.definition.arguments where !["limit", "nextToken", "lastSync"].contains(argument.name) {
            let value = try engine.argument(argument.name, of: field, variables)
            text += "\(argument.name)=\(value?.canonical.text ?? "");"
        }
        return text
    }

    /// The rows of a page: as many as the caller says, else `standard`.
    func limit(
        _ field: SelectedField, _ variables: Variables, standard: Int = QueryRunner.defaultLimit
    ) throws(InputError) -> Int {
        let given = try engine.argument("limit", of: field, variables)?.integer ?? Int64(standard)
        guard given > 0 else { throw InputError("limit must be greater than 0, not \(given)") }
        return Int(min(given, Int64(Self.maximumLimit)))
    }

    /// Opens the token that a page is asked for with.
    func open(_ text: String?, _ binding: String) throws -> PageToken? {
        guard let text else { return nil }
        guard let token = PageToken(text, binding, key: tokenKey) else {
            throw PageError.invalidToken
        }
        return token
    }

    private static let clockSQL = "SELECT stamp,pruned_through FROM _clock WHERE id=1"

    private func clock() throws -> (stamp: Int64, prunedThrough: Int64) {
        try connection.withStatement(Self.clockSQL) { statement in
            guard try statement.step() else { return (0, 0) }
            return (statement.integer(at: 0), statement.integer(at: 1))
        }
    }

    /// Goes on where a token says, or fixes the end of a walk that begins.
    private func resumed(_ plan: Walk, _ token: PageToken?) throws -> Walk {
        var walk = plan
        if let token {
            guard token.walk != .index else { throw PageError.invalidToken }
            // What began as everything goes on as that, though its mark may be a delta's by now.
            walk.kind = token.walk
            walk.position = token.position
            walk.row = token.row
            walk.lastRow = token.lastRow
        } else if walk.kind == .base {
            walk.lastRow = try connection.withStatement(tables[walk.model.index].maxRowText) { statement in
                try statement.step() ? statement.integer(at: 0) : 0
            }
        }
        return walk
    }
}
