"""Write confirmed values from the state to Plex: plan, write, read back."""
