"""Outbound documents: from an order or invoice to the finished 850, 860 or 810."""
