"""A strict Plex and a strict Stedi on loopback, with suppliers that answer: `demo`, `sandbox` and the tests run on it.

Nothing here reads or writes documents with `plexstedi.edi`: two errors would else hide one another.
"""
