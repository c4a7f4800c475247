import Basics
import Models
import SQLite
import System

/// Checks a hub's database against what must always hold of it; it may run beside the hub.
public enum HubVerify {
    /// Checks the hub of a data directory.
    ///
    /// - Throws: ``HubError`` where there is none, `SQLiteError` where it cannot be opened.
    public static func run(_ directory: String, schema: Schema) throws -> [VerifyFinding] {
        let path = HubBackup.database(in: directory)
        guard Files.exists(path) else { throw HubError("there is no hub's database in \(directory)") }
        let connection = try Connection.open(path: path, options: .readOnly)
        // One state, whatever is committed meanwhile.
        try connection.begin(.deferred)
        defer { connection.rollback() }
        return try check(connection, schema)
    }

    static func check(_ connection: Connection, _ schema: Schema) throws -> [VerifyFinding] {
        var findings = [
            VerifyFinding(
                check: "pages and indexes", examined: Int(try connection.value("PRAGMA page_count")?.integer ?? 0),
                problems: try connection.integrityProblems())
        ]
        do {
            findings += try content(connection, schema)
        } catch let error as SQLiteError where error.isCorrupt {
            findings.append(VerifyFinding(check: "content", examined: 0, problems: ["it cannot be read: \(error)"]))
        }
        return findings
    }

    private static func content(_ connection: Connection, _ schema: Schema) throws -> [VerifyFinding] {
        var findings: [VerifyFinding] = []
        guard try connection.applicationID == HubCore.applicationID,
            let clock = try connection.rows("SELECT stamp,hub_time,pruned_through,epoch FROM _clock WHERE id=1").first,
            let stamp = clock[0].integer, let hubTime = clock[1].integer, let pruned = clock[2].integer
        else {
            return [VerifyFinding(check: "clock", examined: 0, problems: ["it cannot be read"])]
        }
        var clockProblems: [String] = []
        if pruned > stamp { clockProblems.append("more is forgotten than was ever committed") }
        let life = try connection.rows("SELECT epoch,began,floor FROM _life ORDER BY number DESC LIMIT 1").first
        if life?[0] != clock[3] { clockProblems.append("the database does not know its own life") }
        findings.append(VerifyFinding(check: "clock", examined: 1, problems: clockProblems))
        let present = Set(try HubBackup.models(connection))
        for name in present.sorted() {
            findings.append(try rows(of: name, connection, stamp))
            guard let model = schema.model(name) else {
                // What a record refers to is known from its schema alone.
                findings.append(
                    VerifyFinding(
                        check: "parents of \(name)", examined: 0,
                        problems: ["not looked at: the schema has no \(name); name the hub's with --schema FILE"],
                        isOnlyNote: true))
                continue
            }
            if let finding = try orphans(of: model, connection, schema, present) { findings.append(finding) }
        }
        findings.append(try mutations(connection, present, hubTime))
        findings.append(try images(connection, present))
        return findings
    }

    private static func rows(of model: String, _ connection: Connection, _ stamp: Int64) throws -> VerifyFinding {
        let table = "\"\(model)\""
        let count = try connection.value("SELECT count(*) FROM \(table)")?.integer ?? 0
        var problems: [String] = []
        let faults: [(String, String)] = [
            ("\"_version\"<1", "rows without a version"),
            ("\"_lastChangedAt\">\(stamp)", "rows changed later than the hub's last commit"),
            ("\"_lastChangedAt\"<1", "rows that were never committed"),
            ("\"_deleted\"=1 AND \"_ttl\" IS NULL", "deletions that would be remembered for ever"),
            ("\"_deleted\"=0 AND \"_ttl\" IS NOT NULL", "rows that would be forgotten though they are not deleted"),
        ]
        for (condition, name) in faults {
            let found = try connection.value("SELECT count(*) FROM \(table) WHERE \(condition)")?.integer ?? 0
            if found > 0 { problems.append("\(found) \(name)") }
        }
        return VerifyFinding(check: "rows of \(model)", examined: Int(count), problems: problems)
    }

    /// Rows that name a parent which is not there; no damage, since parents may be deleted and may come later.
    private static func orphans(
        of model: ModelSchema, _ connection: Connection, _ schema: Schema, _ present: Set<String>
    ) throws -> VerifyFinding? {
        var problems: [String] = []
        for relation in schema.references(of: model) where present.contains(relation.target) {
            guard let key = schema.model(relation.target)?.primaryKey else { continue }
            let names = relation.fields.map { "c.\"\($0)\" IS NOT NULL" }.joined(separator: " AND ")
            let isParent = zip(key, relation.fields).map { "p.\"\($0)\"=c.\"\($1)\"" }.joined(separator: " AND ")
            let count =
                try connection.value(
                    """
                    SELECT count(*) FROM "\(model.name)" AS c WHERE c."_deleted"=0 AND \(names) AND NOT EXISTS(SELECT 1 FROM \
                    "\(relation.target)" AS p WHERE \(isParent) AND p."_deleted"=0)
                    """)?.integer ?? 0
            let fields = relation.fields.joined(separator: ", ")
            if count > 0 { problems.append("\(count) name a \(relation.target) in \(fields) that is not there") }
        }
        return problems.isEmpty
            ? nil : VerifyFinding(check: "parents of \(model.name)", examined: 0, problems: problems, isOnlyNote: true)
    }

    private static func mutations(
        _ connection: Connection, _ present: Set<String>, _ hubTime: Int64
    ) throws -> VerifyFinding {
        let count = try connection.value("SELECT count(*) FROM _mutations")?.integer ?? 0
        var problems: [String] = []
        for model in try connection.rows("SELECT DISTINCT model FROM _mutations").compactMap({ $0[0].text }) {
            guard present.contains(model) else { continue }
            let ahead =
                try connection.value(
                    """
                    SELECT count(*) FROM _mutations AS m JOIN "\(model)" AS r ON r."_row"=m.row WHERE m.model=? AND \
                    m.version>r."_version"
                    """, [.text(model)])?.integer ?? 0
            if ahead > 0 { problems.append("\(ahead) answers name a version of \(model) that was never made") }
        }
        return VerifyFinding(check: "answered mutations", examined: Int(count), problems: problems)
    }

    private static func images(_ connection: Connection, _ present: Set<String>) throws -> VerifyFinding {
        let count = try connection.value("SELECT count(*) FROM _images")?.integer ?? 0
        var problems: [String] = []
        for model in try connection.rows("SELECT DISTINCT model FROM _images").compactMap({ $0[0].text }) {
            guard present.contains(model) else { continue }
            let wrong =
                try connection.value(
                    """
                    SELECT count(*) FROM _images AS i JOIN "\(model)" AS r ON r."_row"=i.row WHERE i.model=? AND \
                    (i.version>=r."_version" OR NOT json_valid(i.record))
                    """, [.text(model)])?.integer ?? 0
            if wrong > 0 { problems.append("\(wrong) earlier states of \(model) do not fit their rows") }
        }
        return VerifyFinding(check: "earlier states", examined: Int(count), problems: problems)
    }
}
