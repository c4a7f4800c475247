import AppSync
import Basics
import Models

/// What one caller sees of a model by one reading operation: which rows, and of those which fields.
///
/// Rules on a field take the place of the model's for that field. Whoever may read any field of a row sees that there is
/// a row; what else of it he sees is decided field by field.
struct Sight: Sendable, Hashable {
    /// The rows of which he sees anything.
    let rows: Access
    /// The rows whose key he sees: a copy of one that is not among them any more has to go.
    let named: Access
    /// Fields that some of those rows do not show him, with the rows that do; empty for nearly everybody.
    private let guarded: [Field]
    /// The rows that show what has no rules of its own, where those are not all of them.
    private let rest: Access?
    private let restPositions: [Int]
    /// What his authorizer denies him of what every record has beside its fields.
    private let metadata: Set<String>
    /// What any other row hides from whoever is told of it all the same, as he may write it: fields with rules of their
    /// own, since only those show them, and what his authorizer denies him.
    let withheld: Hidden

    private struct Field: Sendable, Hashable {
        let position: Int
        let access: Access
    }

    init(_ model: ModelInfo, _ operation: AuthRule.Operation, for caller: Caller) {
        let whole = Access(model, operation, for: caller)
        let denied = model.schema.fields.indices.filter { caller.isDenied($0, of: model) }
        metadata = caller.deniedMetadata(of: model)
        withheld = Hidden(positions: model.guardedFields.union(denied), metadata: metadata)
        guard !model.guardedFields.isEmpty || !denied.isEmpty else {
            (rows, named, guarded, rest, restPositions) = (whole, whole, [], nil, [])
            return
        }
        let fields = model.guardedFields.sorted().map {
            Field(position: $0, access: Access(model, operation, for: caller, field: $0))
        }
        let all = fields.reduce(whole) { $0.union($1.access) }
        rows = all
        named = Self.narrowest(
            model.keyPositions.map { position in fields.first { $0.position == position }?.access ?? whole })
        guarded =
            fields.filter { !$0.access.covers(all) && !denied.contains($0.position) }
            + denied.map { Field(position: $0, access: .none) }
        rest = whole.covers(all) ? nil : whole
        restPositions =
            rest == nil ? [] : model.schema.fields.indices.filter { !model.guardedFields.contains($0) }
    }

    /// The access among these that gives what all give, as far as the rules show it.
    private static func narrowest(_ accesses: [Access]) -> Access {
        accesses.first { access in accesses.allSatisfy { $0.covers(access) } } ?? .none
    }

    /// Whether every row that he sees shows him all of itself.
    var isClear: Bool { guarded.isEmpty && rest == nil && metadata.isEmpty }

    /// The rows that show a field.
    func access(to position: Int) -> Access {
        if let field = guarded.first(where: { $0.position == position }) { return field.access }
        if let rest, restPositions.contains(position) { return rest }
        return rows
    }

    /// What a row does not show.
    func hidden(in values: [Value]) -> Hidden {
        guard !isClear else { return .nothing }
        var hidden = Hidden(metadata: metadata)
        for field in guarded where !field.access.allows(values) { hidden.positions.insert(field.position) }
        if let rest, !rest.allows(values) {
            hidden.positions.formUnion(restPositions)
            hidden.relations = true
        }
        return hidden
    }

    /// A row as he sees it: what is hidden is null, so that nothing which looks at the row can depend on it.
    func shown(_ row: HubRow) -> (row: HubRow, hidden: Hidden) {
        let hidden = hidden(in: row.values)
        guard !hidden.positions.isEmpty else { return (row, hidden) }
        var shown = row
        for position in hidden.positions { shown.values[position] = .null }
        return (shown, hidden)
    }

    /// A field among these that no row shows him; nil where each of them is shown by some.
    func closed(among positions: Set<Int>) -> Int? {
        isClear ? nil : positions.sorted().first { access(to: $0).isNone }
    }

    /// The same text for equal sights, in every process: the rows, and after a point the fields where some are hidden.
    ///
    /// It says nothing but that something is as it was; who compares it knows when to let go of what he may not see.
    func fingerprint(_ model: ModelInfo) -> String {
        func text(_ access: Access) -> String {
            switch access {
            case .none: "none"
            case .all: "all"
            case .rows(let rules):
                rules.map { rule in
                    let names = rule.accepted.map { JSONValue.string($0).text }.sorted().joined(separator: ",")
                    return "\(model.schema.fields[rule.position].name)=\(names)"
                }.sorted().joined(separator: ";")
            }
        }
        let ofRows = String(FNV1a(text(rows)).value, radix: 16)
        if isClear { return ofRows }
        var parts: [String] = []
        for field in guarded { parts.append("\(model.schema.fields[field.position].name):\(text(field.access))") }
        if let rest { parts.append("*:\(text(rest))") }
        parts += metadata.sorted()
        return ofRows + "." + String(FNV1a(parts.joined(separator: "|")).value, radix: 16)
    }
}

/// What one row does not show its reader.
struct Hidden: Sendable, Hashable {
    var positions: Set<Int> = []
    /// Whether what the row is related to is hidden with it.
    var relations = false
    /// Names of what every record has beside its fields: `_version`, ….
    var metadata: Set<String> = []

    static let nothing = Hidden()

    var isEmpty: Bool { positions.isEmpty && !relations && metadata.isEmpty }

    /// Whether a selected field is among it: itself, or the key by which it reaches another record.
    func covers(_ field: SelectedField, _ model: ModelInfo) -> Bool {
        switch field.definition.source {
        case .column(let position): return positions.contains(position)
        case .relation(let relation):
            if relations { return true }
            guard !relation.isKeyInTarget else { return false }
            return relation.fields.contains { model.schema.position(of: $0).map(positions.contains) ?? false }
        case .version, .deleted, .lastChangedAt, .typename: return metadata.contains(field.definition.name)
        default: return false
        }
    }
}

extension ResponseError {
    /// AppSync's refusal of a field, or of a root field where `type` is a root type.
    static func denied(
        _ field: String, on type: String, path: [PathElement] = [], locations: [Location] = []
    ) -> ResponseError {
        ResponseError(
            "Not Authorized to access \(field) on type \(type)", errorType: ErrorType.unauthorized, path: path,
            locations: locations)
    }
}

/// A field that a request would look at and its sender may not read.
struct FieldDenied: Error, Hashable {
    let field: String
    let type: String

    /// Refuses what looks at one of these fields, where no row shows it to the caller.
    ///
    /// - Throws: ``FieldDenied`` for the first of them.
    static func check(_ positions: Set<Int>, _ sight: Sight, _ model: ModelInfo) throws(FieldDenied) {
        guard let position = sight.closed(among: positions) else { return }
        throw FieldDenied(field: model.schema.fields[position].name, type: model.schema.name)
    }
}
