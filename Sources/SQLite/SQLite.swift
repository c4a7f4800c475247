// Connections, statements and hooks over the system's SQLite.
