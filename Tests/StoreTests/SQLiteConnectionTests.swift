import Basics
import Glibc
import Models
import Testing

@testable import SQLite

@Suite struct SQLiteConnectionTests {
    let directory = ScratchDirectory()

    @Test func aWriterUsesTheLogAndSyncsEachCommit() throws {
        let connection = try Connection.open(path: directory.file("a.db"))
        #expect(try connection.value("PRAGMA journal_mode") == .text("wal"))
        #expect(try connection.value("PRAGMA synchronous") == .integer(2))
        #expect(try connection.value("PRAGMA trusted_schema") == .integer(0))
        #expect(try connection.value("PRAGMA cell_size_check") == .integer(1))
        #expect(try connection.value("PRAGMA mmap_size") == .integer(0))
        #expect(try connection.value("PRAGMA journal_size_limit") == .integer(16_777_216))
        #expect(try connection.value("PRAGMA busy_timeout") == .integer(5000))
    }

    @Test func durabilityIsChosenPerTransaction() throws {
        let connection = try Connection.open(path: directory.file("a.db"))
        try connection.transaction(durability: .normal) {
            let level = try connection.value("PRAGMA synchronous")
            #expect(level == .integer(1))
        }
        try connection.transaction {
            let level = try connection.value("PRAGMA synchronous")
            #expect(level == .integer(2))
        }
    }

    @Test("C33: readers see only what is committed")
    func readersSeeOnlyWhatIsCommitted() throws {
        let path = directory.file("a.db")
        let writer = try Connection.open(path: path)
        try writer.execute("CREATE TABLE t(a INTEGER) STRICT")
        let first = try Connection.open(path: path, options: .readOnly)
        let second = try Connection.open(path: path, options: .readOnly)
        try writer.begin()
        try writer.run("INSERT INTO t VALUES(?)", [.integer(1)])
        #expect(try first.value("SELECT count(*) FROM t") == .integer(0))
        try second.transaction(.deferred) {
            #expect(try second.value("SELECT count(*) FROM t") == .integer(0))
            try writer.commit()
            #expect(try first.value("SELECT count(*) FROM t") == .integer(1))
            #expect(try second.value("SELECT count(*) FROM t") == .integer(0), "the snapshot stays")
        }
        #expect(try second.value("SELECT count(*) FROM t") == .integer(1))
        let refused = sqliteError { try first.execute("INSERT INTO t VALUES(2)") }
        #expect(refused?.isReadOnly == true)
    }

    @Test func dataVersionCountsTheCommitsOfOthersOnly() throws {
        let path = directory.file("a.db")
        let one = try Connection.open(path: path)
        let other = try Connection.open(path: path)
        try one.execute("CREATE TABLE t(a INTEGER)")
        let before = try one.dataVersion
        try one.execute("INSERT INTO t VALUES(1)")
        #expect(try one.dataVersion == before)
        try other.execute("INSERT INTO t VALUES(2)")
        #expect(try one.dataVersion != before)
    }

    @Test func aSecondWriterIsToldThatItIsBusy() throws {
        let path = directory.file("a.db")
        var impatient = Connection.Options()
        impatient.busyTimeout = 0
        let one = try Connection.open(path: path)
        let other = try Connection.open(path: path, options: impatient)
        try one.begin()
        #expect(sqliteError { try other.begin() }?.isBusy == true)
        one.rollback()
        try other.transaction { try other.execute("CREATE TABLE t(a)") }
    }

    @Test func whatIsNoDatabaseIsNamedAndLeftAlone() throws {
        let path = directory.file("notes.txt")
        overwrite(path, at: 0, with: Array(String(repeating: "These are notes, not rows. ", count: 300).utf8))
        let error = sqliteError { _ = try Connection.open(path: path) }
        #expect(error?.isNotADatabase == true)
        #expect(error?.message == "cannot open \(path): it is not a database, or it is encrypted")
    }

    @Test func aDamagedFileIsNamedAtOpen() throws {
        let path = directory.file("a.db")
        do {
            let connection = try Connection.open(path: path)
            try connection.execute("CREATE TABLE t(a TEXT)")
            try connection.checkpoint(.truncate)
        }
        // The table of contents lies in page 1, after the file's header of 100 bytes.
        overwrite(path, at: 100, with: [UInt8](repeating: 0xEE, count: 3900))
        let error = sqliteError { _ = try Connection.open(path: path) }
        #expect(error?.isCorrupt == true)
        #expect(error?.message.contains("it is damaged") == true)
    }

    @Test func damageInsideIsFoundByTheIntegrityCheck() throws {
        let path = directory.file("a.db")
        do {
            let connection = try Connection.open(path: path)
            try connection.execute("CREATE TABLE t(a TEXT)")
            for _ in 0..<200 {
                try connection.run("INSERT INTO t VALUES(?)", [.text(String(repeating: "x", count: 100))])
            }
            #expect(try connection.integrityProblems() == [])
            try connection.checkpoint(.truncate)
        }
        overwrite(path, at: 2 * 4096, with: [UInt8](repeating: 0xEE, count: 2000))
        let connection = try Connection.open(path: path)
        #expect(try connection.integrityProblems(quick: true) != [])
        #expect(sqliteError { _ = try connection.rows("SELECT a FROM t") }?.isCorrupt == true)
    }

    @Test func pagesAreCountedBetweenTwoPlacesForEver() throws {
        let connection = try Connection.open(path: directory.file("a.db"))
        try connection.execute("CREATE TABLE t(a TEXT)")
        let before = connection.pageMark
        #expect(before.pages(since: before) == 0)
        try connection.run("INSERT INTO t VALUES(?)", [.text(String(repeating: "x", count: 40_000))])
        #expect(connection.pageMark.pages(since: before) >= 10)
        // SQLite counts to 2^31 and begins anew.
        #expect(PageMark(count: 5).pages(since: PageMark(count: .max - 4)) == 10)
        #expect(PageMark(count: .max).pages(since: .start) == Int(Int32.max))
    }

    @Test func aMissingDirectoryIsNamed() {
        let path = directory.file("nowhere/a.db")
        let error = sqliteError { _ = try Connection.open(path: path) }
        #expect(error?.isCannotOpen == true)
        #expect(error?.message.contains("No such file or directory") == true)
        var existing = Connection.Options()
        existing.create = false
        let missing = directory.file("missing.db")
        #expect(sqliteError { _ = try Connection.open(path: missing, options: existing) }?.isCannotOpen == true)
    }

    @Test func aFullDiskLeavesWhatWasCommitted() throws {
        let connection = try Connection.open(path: directory.file("a.db"))
        try connection.execute("CREATE TABLE t(a TEXT)")
        try connection.run("INSERT INTO t VALUES(?)", [.text("kept")])
        let pages = try #require(try connection.value("PRAGMA page_count")?.integer)
        try connection.execute("PRAGMA max_page_count=\(pages + 2)")
        let large = Value.text(String(repeating: "x", count: 100_000))
        let error = sqliteError {
            try connection.transaction {
                try connection.run("INSERT INTO t VALUES('lost')")
                try connection.run("INSERT INTO t VALUES(?)", [large])
            }
        }
        #expect(error?.isFull == true)
        #expect(!connection.isInTransaction)
        #expect(try connection.rows("SELECT a FROM t") == [[.text("kept")]])
        #expect(try connection.integrityProblems() == [])
        _ = try connection.transaction { try connection.run("INSERT INTO t VALUES('fits')") }
        #expect(try connection.value("SELECT count(*) FROM t") == .integer(2))
    }

    @Test func aBackupIsWholeAndTakenWhileTheDatabaseIsInUse() throws {
        let connection = try Connection.open(path: directory.file("a.db"))
        try connection.execute("CREATE TABLE t(a INTEGER)")
        try connection.transaction {
            for i in 0..<1000 { try connection.run("INSERT INTO t VALUES(?)", [.integer(Int64(i))]) }
        }
        let copy = directory.file("copy.db")
        try connection.backup(to: copy)
        try connection.execute("DELETE FROM t")
        let restored = try Connection.open(path: copy)
        #expect(try restored.value("SELECT sum(a) FROM t") == .integer(499_500))
        #expect(!directory.names.contains("copy.db.partial"))
        let failed = sqliteError { try connection.backup(to: directory.file("nowhere/copy.db")) }
        #expect(failed?.isCannotOpen == true)
    }

    @Test func `a backup is copied in parts and is one state, whatever is written between them`() throws {
        let connection = try Connection.open(path: directory.file("a.db"))
        let other = try Connection.open(path: directory.file("a.db"))
        try connection.execute("CREATE TABLE t(a)")
        for _ in 0..<20 { try connection.run("INSERT INTO t VALUES(zeroblob(4000))") }
        var parts = 0
        let copy = directory.file("copy.db")
        try connection.backup(to: copy, pagesAtOnce: 4) {
            parts += 1
            _ = try? other.run("INSERT INTO t VALUES(1)")
        }
        #expect(parts > 4)
        #expect(try connection.value("SELECT count(*) FROM t") == .integer(Int64(20 + parts)))
        let restored = try Connection.open(path: copy)
        #expect(try restored.value("SELECT count(*) FROM t") == .integer(20))
        #expect(try restored.integrityProblems() == [])
    }

    @Test func memoryDatabasesAreSeparate() throws {
        let one = try Connection.memory()
        let other = try Connection.memory()
        try one.execute("CREATE TABLE t(a)")
        #expect(try other.value("SELECT count(*) FROM sqlite_schema") == .integer(0))
    }

    @Test func anInterruptedStatementSaysSo() throws {
        let connection = try Connection.memory()
        let interrupter = connection.interrupter
        var rows = 0
        let error = sqliteError {
            try connection.withStatement(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
            ) { statement in
                while try statement.step() {
                    rows += 1
                    if rows == 100 { interrupter.interrupt() }
                }
            }
        }
        #expect(error?.isInterrupted == true)
        #expect(rows == 100)
    }

    @Test func anInterrupterOutlivesItsConnection() throws {
        var connection: Connection? = try Connection.memory()
        let interrupter = connection?.interrupter
        connection = nil
        interrupter?.interrupt()
    }

    @Test func misspeltNamesAreNeverReadAsText() throws {
        let connection = try Connection.memory()
        try connection.execute("CREATE TABLE t(a TEXT)")
        #expect(
            sqliteError { _ = try connection.rows("SELECT \"b\" FROM t") }?.message.contains("no such column") == true)
    }
}
