"""Binding an X12 document to any Stedi guide by its JSON Schema."""
