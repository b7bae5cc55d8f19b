"""The database itself: engine, tables, column types, migration, errors."""
