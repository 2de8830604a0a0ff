"""Decisions of users and alerts: reviews, replays, recovery."""
