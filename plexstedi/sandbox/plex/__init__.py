"""The simulated Plex."""
