import CSQLite

extension Statement {
    /// How many steps of SQLite's machine this statement took since it was last asked: what it cost, whatever the
    /// computer.
    package func takeSteps() -> Int { Int(sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1)) }
}
