"""X12 syntax: transactions, elements, text, and set definitions."""
