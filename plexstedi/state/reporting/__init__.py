"""What the page of `status --html` counts over time."""
