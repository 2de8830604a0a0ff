"""The simulated Stedi."""
