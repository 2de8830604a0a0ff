"""X12 itself: transactions, elements, text, and what each set calls its segments."""
