"""Output for terminal and page: one list of sections, as text and as HTML."""
