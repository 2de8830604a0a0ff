"""How a run ended: recorded, alerted."""
