import Models
import SQLite
import Testing

@Suite struct SQLiteTransactionTests {
    struct Refusal: Error {}

    let connection: Connection

    init() throws {
        connection = try Connection.memory()
        try connection.execute("CREATE TABLE t(a INTEGER UNIQUE) STRICT")
    }

    private func insert(_ value: Int64) throws { try connection.run("INSERT INTO t VALUES(?)", [.integer(value)]) }
    private var content: [Int64] {
        get throws { try connection.rows("SELECT a FROM t ORDER BY a").compactMap { $0[0].integer } }
    }

    @Test func aTransactionThatThrowsLeavesNothing() throws {
        #expect(throws: Refusal.self) {
            try connection.transaction {
                try insert(1)
                throw Refusal()
            }
        }
        #expect(try content == [])
        #expect(!connection.isInTransaction)
    }

    @Test func aSavepointThatThrowsLeavesWhatWasBefore() throws {
        try connection.transaction {
            try insert(1)
            #expect(throws: Refusal.self) {
                try connection.savepoint {
                    try insert(2)
                    try connection.savepoint { try insert(3) }
                    throw Refusal()
                }
            }
            try connection.savepoint { try insert(4) }
        }
        #expect(try content == [1, 4])
    }

    @Test("D7: a refused row leaves the transaction open")
    func aRefusedRowLeavesTheTransactionOpen() throws {
        try connection.transaction {
            try insert(1)
            let error = sqliteError { try insert(1) }
            #expect(error?.isUniqueViolation == true)
            #expect(error?.isConstraint == true)
            try insert(2)
        }
        #expect(try content == [1, 2])
    }

    @Test func nothingCommitsAloneAfterSQLiteHasRolledBack() throws {
        let error = sqliteError {
            try connection.transaction {
                try insert(1)
                // What a full disk does: the transaction is gone, and the body goes on.
                _ = sqliteError { try connection.execute("ROLLBACK") }
                try insert(2)
            }
        }
        #expect(error?.message.contains("rolled back") == true)
        #expect(try content == [])
        try connection.transaction { try insert(3) }
        #expect(try content == [3])
    }

    @Test func aSwallowedFullDiskIsNotCommitted() throws {
        let pages = try #require(try connection.value("PRAGMA page_count")?.integer)
        try connection.execute("CREATE TABLE large(a TEXT)")
        try connection.execute("PRAGMA max_page_count=\(pages + 3)")
        let text = Value.text(String(repeating: "x", count: 100_000))
        let error = sqliteError {
            try connection.transaction {
                try insert(1)
                _ = sqliteError { try connection.run("INSERT INTO large VALUES(?)", [text]) }
                // Whether or not SQLite undid the statement only, what is committed is whole.
                try insert(2)
            }
        }
        #expect(try content == (error == nil ? [1, 2] : []))
    }

    @Test func transactionsThatNestTrap() async {
        await #expect(processExitsWith: .failure) {
            let connection = try Connection.memory()
            try connection.transaction { try connection.transaction {} }
        }
    }

    @Test func aSavepointWithoutATransactionTraps() async {
        await #expect(processExitsWith: .failure) {
            try Connection.memory().savepoint {}
        }
    }

    @Test func hooksTellOfRowsCommitsAndRollbacks() throws {
        var heard: [String] = []
        connection.onRowChange { heard.append("\($0) \($1) \($2)") }
        connection.onCommit { heard.append("commit") }
        connection.onRollback { heard.append("rollback") }
        try connection.transaction {
            try insert(5)
            try connection.run("UPDATE t SET a=6 WHERE a=5")
        }
        _ = try? connection.transaction {
            try connection.run("DELETE FROM t WHERE a=6")
            throw Refusal()
        }
        #expect(heard == ["insert t 1", "update t 1", "commit", "delete t 1", "rollback"])
        connection.onRowChange(nil)
        connection.onCommit(nil)
        connection.onRollback(nil)
        try insert(7)
        #expect(heard.count == 5)
    }
}
