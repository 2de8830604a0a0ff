"""Writing to Plex: custom fields, releases, acknowledgment records of data sources."""
