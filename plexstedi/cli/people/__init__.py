"""Commands with which a user decides: `review`, `replay`, `recover`."""
