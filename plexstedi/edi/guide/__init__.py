"""Bind X12 documents to Stedi guides by JSON Schema."""
