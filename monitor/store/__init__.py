"""Tables, writes and reads on SQLite and Postgres: the only importer of SQLAlchemy; it judges nothing."""
