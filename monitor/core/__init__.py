"""The pure part: values in, values out; no clock, socket, database, logging or async in here."""
