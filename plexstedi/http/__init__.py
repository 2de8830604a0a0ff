"""HTTP calls to Plex and Stedi: rate-limited, retried where that is safe, recorded and checked."""
