"""Target values in Plex after an acknowledgment: custom fields, releases, records."""
