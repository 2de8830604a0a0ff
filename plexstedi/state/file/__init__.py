"""The state file itself: database, schema, lock, backups, retention."""
