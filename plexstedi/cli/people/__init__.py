"""Commands for decisions of users: `review`, `replay`, `recover`."""
