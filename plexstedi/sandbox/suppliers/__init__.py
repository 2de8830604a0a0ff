"""The simulated suppliers."""
