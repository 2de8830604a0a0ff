"""Commands of the set-up: `init`, `credentials`."""
