"""What a command ends with: its outcome, and the shape of its JSON."""
