"""The double of Stedi."""
