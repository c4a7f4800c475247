// The server: AppSync's API for any @model schema, on SQLite.
