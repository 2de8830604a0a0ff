"""The page of `status --html` and `run.html`."""
