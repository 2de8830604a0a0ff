"""From an order to the document that goes out."""
