"""Reads and validates the configuration file."""
