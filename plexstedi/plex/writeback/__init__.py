"""Writes acknowledgments to Plex: custom fields, releases, or acknowledgment records through data sources."""
