"""What is to stand in Plex after an acknowledgment: custom fields, releases, records."""
