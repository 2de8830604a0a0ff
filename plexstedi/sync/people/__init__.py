"""What people decide and are told: reviews, replays, recoveries, alerts."""
