"""`status` of several plants, each with its own configuration."""
