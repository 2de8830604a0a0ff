"""The doubles of the suppliers."""
