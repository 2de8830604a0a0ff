"""From a supplier's answer to what it means for an order."""
