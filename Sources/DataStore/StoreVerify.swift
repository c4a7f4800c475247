import Basics
import Models
import SQLite

/// Checks a store's file against what must always hold of it; it may run while the store is in use.
public enum StoreVerify {
    /// Checks the store of a directory.
    ///
    /// - Parameter key: what the store is encrypted with, where it is.
    /// - Throws: ``StoreError`` where the file cannot be opened.
    public static func run(_ directory: String, schema: Schema, key: DatabaseKey? = nil) throws -> [VerifyFinding] {
        try openingErrors {
            var options = Connection.Options.readOnly
            options.key = key
            let connection = try Connection.open(path: StoreOpening.path(directory), options: options)
            try connection.begin(.deferred)
            defer { connection.rollback() }
            return try check(connection, schema)
        }
    }

    static func check(_ connection: Connection, _ schema: Schema) throws -> [VerifyFinding] {
        func count(_ sql: String) throws -> Int { Int(try connection.value(sql)?.integer ?? 0) }
        var findings = [
            VerifyFinding(
                check: "pages and indexes", examined: try count("PRAGMA page_count"),
                problems: try connection.integrityProblems())
        ]
        let tables = Set(
            try connection.rows("SELECT name FROM sqlite_schema WHERE type='table'").compactMap { $0[0].text })
        for model in schema.models where tables.contains(model.name) {
            let table = "\"\(model.name)\""
            let wrong = try count("SELECT count(*) FROM \(table) WHERE \"_version\"<1")
            findings.append(
                VerifyFinding(
                    check: "rows of \(model.name)", examined: try count("SELECT count(*) FROM \(table)"),
                    problems: wrong > 0 ? ["\(wrong) rows with an impossible version"] : []))
        }
        findings.append(
            try faults(
                "outbox", "_outbox", connection,
                [
                    ("\"state\" NOT IN (0,1,2,3) OR \"kind\" NOT IN (0,1,2)", "entries of an unknown kind or state"),
                    ("\"state\"=0 AND \"seal\"<>0 OR \"state\">0 AND \"seal\"<>\"ord\"", "entries wrongly sealed"),
                    ("NOT json_valid(\"fields\") OR NOT json_valid(\"base\")", "entries that cannot be read"),
                    (
                        "\"model\" NOT IN (SELECT name FROM sqlite_schema WHERE type='table')",
                        "entries of models that are not there"
                    ),
                ]))
        findings.append(
            try faults(
                "units", "_unit", connection,
                [("\"ord\" NOT IN (SELECT \"ord\" FROM \"_outbox\")", "parts of transactions that wait no more")]))
        findings.append(
            try faults(
                "records aside", "_shadow", connection,
                [
                    (
                        """
                        NOT EXISTS(SELECT 1 FROM "_outbox" AS o WHERE o."model"="_shadow"."model" AND \
                        o."id"="_shadow"."id")
                        """, "records kept aside for changes that wait no more"
                    ), ("NOT json_valid(\"fields\")", "records kept aside that cannot be read"),
                ]))
        findings.append(
            try faults(
                "marks", "_mark", connection,
                [("\"lastSync\"<0 OR \"startedAt\"<0", "marks before the beginning of time")]))
        if tables.contains("_journal") {
            findings.append(
                try faults(
                    "confirmed changes", "_journal", connection,
                    [("NOT json_valid(\"fields\") OR NOT json_valid(\"base\")", "changes that cannot be read")]))
        }
        let aside = try count("SELECT count(*) FROM \"_quarantine\"")
        if aside > 0 {
            findings.append(
                VerifyFinding(
                    check: "rows kept aside", examined: aside,
                    problems: ["\(aside) rows from the backend could not be understood"], isOnlyNote: true))
        }
        return findings
    }

    private static func faults(
        _ check: String, _ table: String, _ connection: Connection, _ faults: [(condition: String, name: String)]
    ) throws -> VerifyFinding {
        var problems: [String] = []
        for fault in faults {
            let sql = "SELECT count(*) FROM \"\(table)\" WHERE \(fault.condition)"
            let found = try connection.value(sql)?.integer ?? 0
            if found > 0 { problems.append("\(found) \(fault.name)") }
        }
        let examined = try connection.value("SELECT count(*) FROM \"\(table)\"")?.integer ?? 0
        return VerifyFinding(check: check, examined: Int(examined), problems: problems)
    }
}
