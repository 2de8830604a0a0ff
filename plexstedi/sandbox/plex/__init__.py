"""The double of Plex."""
