import ModelTables
import Models

/// The SQL that passes over most of the rows which a caller may not read, so that they need not be looked at one by one.
///
/// It only saves work: it holds of every row that the rights give, and each row it lets through is still judged by them.
struct RowCondition {
    let sql: String
    let bindings: [Value]

    /// Of a walk along the table; nil where the rights give all rows or cannot be said.
    init?(_ walk: Walk) {
        guard walk.kind != .index, case .rows(let rules) = walk.sight.rows else { return nil }
        var parts: [String] = []
        var bindings: [Value] = []
        for rule in rules {
            let column = "\"\(walk.model.schema.fields[rule.position].name)\""
            if rule.isList {
                // A name that JSON may write in several ways is not searched for.
                guard rule.accepted.allSatisfy(Self.isPlain) else { return nil }
                for name in rule.accepted {
                    parts.append("instr(\(column),?)>0")
                    bindings.append(.text("\"\(name)\""))
                }
            } else {
                parts.append("\(column) IN (\(rule.accepted.map { _ in "?" }.joined(separator: ",")))")
                bindings += rule.accepted.map { .text($0) }
            }
        }
        if walk.kind == .changes, let since = walk.leftSince {
            parts.append("\(ModelTable.rowColumn) IN (SELECT row FROM _departures WHERE model=? AND stamp>=?)")
            bindings += [.text(walk.model.schema.name), .integer(since)]
        }
        guard !parts.isEmpty, bindings.count < 200 else { return nil }
        sql = "(\(parts.joined(separator: " OR ")))"
        self.bindings = bindings
    }

    private static func isPlain(_ name: String) -> Bool {
        name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                || byte == 58 || byte == 95 || byte == 46 || byte == 64
        }
    }
}
