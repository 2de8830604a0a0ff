"""Commands by which a person decides: `review`, `replay`, `recover`."""
