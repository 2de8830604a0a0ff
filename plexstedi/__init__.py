"""PlexStedi: purchase orders from Plex to suppliers over Stedi EDI, and their acknowledgments back into Plex."""

__version__ = "0.1.0"
