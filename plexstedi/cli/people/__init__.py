"""Commands by which a user decides: `review`, `replay`, `recover`."""
