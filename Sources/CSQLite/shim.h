#pragma once
#include <sqlite3.h>

// What Swift's importer does not bring over: the SQLITE_TRANSIENT pointer and variadic functions.

/// Binds text that SQLite copies at once.
static inline int csqlite_bind_text_copying(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

/// Gives text as a function's result, which SQLite copies at once; the pointer may be null where the length is 0.
static inline void csqlite_result_text_copying(sqlite3_context *context, const unsigned char *text, int length) {
    sqlite3_result_text(context, text ? (const char *)text : "", length, SQLITE_TRANSIENT);
}

/// Binds text that stays where it is until the binding is cleared.
static inline int csqlite_bind_text_in_place(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_STATIC);
}

/// Forbids SQL to corrupt the file (writable_schema and its like), and a misspelt "column" to be read as a string.
static inline void csqlite_set_defensive(sqlite3 *database) {
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, (int *)0);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)0);
}

/// Keeps the -wal and -shm files when the last connection closes.
static inline int csqlite_keep_wal(sqlite3 *database) {
    int on = 1;
    return sqlite3_file_control(database, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
}

/// Keeps no statistics of memory, for which every allocation of every connection would take one mutex (sqlite.org/malloc.html).
/// Only before the library's first use in a process; after it, nothing changes.
static inline void csqlite_keep_no_statistics(void) {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}
