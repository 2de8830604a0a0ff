"""From the state into Plex: planned, written, read back."""
