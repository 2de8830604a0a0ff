"""The configuration: read, checked, typed."""
