// A @model schema in SQLite: tables, row codec, filters, migrations.
