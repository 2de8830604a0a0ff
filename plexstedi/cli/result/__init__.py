"""The outcome of a command and the shape of its JSON."""
