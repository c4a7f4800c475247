import Models
import SQLite
import Testing

@Suite struct SQLiteStatementTests {
    let connection: Connection

    init() throws {
        connection = try Connection.memory()
        try connection.execute("CREATE TABLE t(a INTEGER, b TEXT) STRICT")
    }

    @Test(arguments: [
        Value.null, .integer(0), .integer(.min), .integer(.max), .real(0.1), .real(-1e300), .text(""), .text("bin"),
        .text("nul \u{0} inside"), .text("\u{0}"), .text("🧰📦 Zähler"), .text("e\u{301}"), .text("\u{10FFFF}\u{FEFF}"),
        .text(String(repeating: "0123456789abcdef", count: 65_536)), .text(String(repeating: "é", count: 2048)),
        .text(String(repeating: "x", count: 4097)),
    ])
    func valuesComeBackAsTheyWere(_ value: Value) throws {
        #expect(try connection.value("SELECT ?", [value]) == value)
        if case .text(let text) = value {
            let bytes = try #require(try connection.value("SELECT length(CAST(? AS BLOB))", [value])?.integer)
            #expect(bytes == Int64(text.utf8.count))
        }
    }

    @Test func manyTextsFillTheBufferAndOverflow() throws {
        let texts = (0..<40).map { String(repeating: Character(Unicode.Scalar(UInt8(65 + $0))), count: 50 * $0) }
        let sql = "SELECT " + Array(repeating: "?", count: texts.count).joined(separator: ",")
        for _ in 0..<3 {
            #expect(try connection.rows(sql, texts.map { .text($0) }) == [texts.map { .text($0) }])
        }
    }

    @Test func bindingsAreGoneAfterUse() throws {
        try connection.run("INSERT INTO t VALUES(?, ?)", [.integer(1), .text("one")])
        try connection.run("INSERT INTO t VALUES(?, ?)", [.integer(2)])
        #expect(try connection.rows("SELECT * FROM t") == [[.integer(1), .text("one")], [.integer(2), .null]])
    }

    @Test func aBindingThatDoesNotExistIsAnError() throws {
        let error = sqliteError { try connection.run("INSERT INTO t(a) VALUES(?)", [.integer(1), .integer(2)]) }
        #expect(error != nil)
        try connection.run("INSERT INTO t(a) VALUES(?)", [.integer(1)])
        #expect(try connection.value("SELECT count(*) FROM t") == .integer(1))
    }

    @Test func theSameTextIsPreparedOnce() throws {
        let before = connection.cachedStatementCount
        let text = StatementText("SELECT a FROM t WHERE b=?")
        for _ in 0..<10 {
            _ = try connection.rows("SELECT b FROM t WHERE a=?", [.integer(1)])
            _ = try connection.withStatement(text) { try $0.step() }
        }
        #expect(connection.cachedStatementCount == before + 2)
    }

    @Test func theCacheStaysSmall() throws {
        for number in 0..<2000 { _ = try connection.value("SELECT \(number)") }
        #expect(connection.cachedStatementCount <= 256)
        connection.clearStatementCache()
        #expect(connection.cachedStatementCount == 0)
    }

    @Test func theSameTextMayBeReadTwiceAtOnce() throws {
        try connection.execute("INSERT INTO t(a) VALUES(1), (2), (3)")
        var pairs = 0
        try connection.withStatement("SELECT a FROM t") { outer in
            while try outer.step() {
                try connection.withStatement("SELECT a FROM t") { inner in
                    while try inner.step() { pairs += 1 }
                }
            }
        }
        #expect(pairs == 9)
    }

    @Test func aBulkLoopPreparesOnce() throws {
        let statements = try connection.recordingStatements {
            try connection.withStatement("INSERT INTO t VALUES(?, ?)") { statement in
                for number in 0..<100 {
                    statement.bind(number, at: 1)
                    if number % 2 == 0 { statement.bind("even", at: 2) }
                    try statement.run()
                }
            }
        }
        #expect(statements == Array(repeating: "INSERT INTO t VALUES(?, ?)", count: 100))
        #expect(try connection.value("SELECT count(*) FROM t WHERE b IS NULL") == .integer(50))
    }

    @Test func statementsFollowAChangedTable() throws {
        #expect(try connection.rows("SELECT a FROM t") == [])
        try connection.execute("ALTER TABLE t ADD COLUMN c TEXT DEFAULT 'new'")
        try connection.execute("INSERT INTO t(a) VALUES(1)")
        #expect(try connection.rows("SELECT a FROM t") == [[.integer(1)]])
    }

    @Test func textThatIsNoSingleStatementIsRefused() {
        #expect(sqliteError { try connection.run("SELECT 1; SELECT 2") } != nil)
        #expect(sqliteError { try connection.run("  -- nothing") } != nil)
        #expect(sqliteError { try connection.run("SELEC 1") }?.message.contains("syntax error") == true)
        #expect(sqliteError { try connection.run("SELECT 1 ; ") } == nil)
    }

    @Test func strictTablesRefuseOtherTypesAndErrorsHideValues() throws {
        let error = sqliteError { try connection.run("INSERT INTO t(a) VALUES(?)", [.text("secret")]) }
        #expect(error?.isConstraint == true)
        #expect(error.map { !"\($0)".contains("secret") } == true)
    }

    @Test func utf8IsLentWithoutACopy() throws {
        try connection.withStatement("SELECT ?, NULL, ''") { statement in
            statement.bind("größe", at: 1)
            let hasRow = try statement.step()
            #expect(hasRow)
            #expect(statement.withUTF8(at: 0) { $0.map(Array.init) } == Array("größe".utf8))
            #expect(statement.withUTF8(at: 1) { $0 == nil })
            #expect(statement.withUTF8(at: 2) { $0?.count } == 0)
            #expect(statement.optionalText(at: 1) == nil)
            #expect(statement.optionalInteger(at: 1) == nil)
        }
    }
}
