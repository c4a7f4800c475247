import AppSync
import Basics
import Models
import SQLite

extension QueryRunner {
    /// Notes what the first page of a sync says beside its rows: where digests differ, that changes since `lastSync` are
    /// not all known any more, and how many rows there are.
    func note(_ walk: Walk, _ key: String, _ digest: DigestRequest?, isGap: Bool) throws {
        add(WireExtension.rights, key, .string(walk.sight.fingerprint(walk.model)))
        if case .compare(let theirs)? = digest {
            var ours = RecordDigest(bits: theirs.bits)
            try forEachLive(walk) { ours.add(id: $0, version: $1) }
            add(WireExtension.digest, key, .array(ours.differing(from: theirs).map { .integer(Int64($0)) }))
            return
        }
        if isGap { notes[WireExtension.gap] = .array((notes[WireExtension.gap]?.array ?? []) + [.string(key)]) }
        // Of rows that some may not read, the number would tell something too.
        if walk.isOpen { add(WireExtension.rows, key, .integer(try count(walk))) }
    }

    /// Names rows of a delta that changed and are outside of its filter.
    func noteLeft(_ ids: [String], _ key: String) {
        if !ids.isEmpty { add(WireExtension.left, key, .array(ids.map { .string($0) })) }
    }

    private func add(_ name: String, _ key: String, _ value: JSONValue) {
        var object = notes[name]?.object ?? JSONObject()
        object[key] = value
        notes[name] = .object(object)
    }

    private func count(_ walk: Walk) throws -> Int64 {
        let table = tables[walk.model.index]
        switch walk.kind {
        case .base:
            return try connection.value("SELECT count(*) FROM \(table.table.name)")?.integer ?? 0
        case .changes, .index:
            return try connection.value(
                "SELECT count(*) FROM \(table.table.name) WHERE \"_lastChangedAt\">?1", [.integer(walk.position)]
            )?.integer ?? 0
        }
    }

    /// Calls `body` with the key and version of each live row that passes.
    ///
    /// - Throws: `ResponseError` where the time is over first: half a digest is none.
    private func forEachLive(_ walk: Walk, _ body: (String, Int64) -> Void) throws {
        let table = tables[walk.model.index]
        if walk.isOpen {
            let sql = "SELECT \(table.table.keyColumn),\"_version\" FROM \(table.table.name) WHERE \"_deleted\"=0"
            try connection.withStatement(sql) { statement in
                while try statement.step() {
                    budget.look(cost: 1)
                    try budget.checkTime()
                    body(statement.text(at: 0), statement.integer(at: 1))
                }
            }
            return
        }
        try connection.withStatement("SELECT \(table.columns) FROM \(table.table.name) WHERE \"_deleted\"=0") {
            statement in
            while try statement.step() {
                let row = StatementRow(statement: statement, model: walk.model).copy
                // A digest is made of keys and versions: whose key he does not see is not in it.
                if walk.passes(row), walk.sight.named.allows(row.values) {
                    budget.look(cost: 1)
                    body(walk.model.key(of: row.values), row.version)
                } else {
                    budget.pass()
                }
                try budget.checkTime()
            }
        }
    }
}
