"""Inbound acknowledgments: from a received 855 or 865 to its outcome for an order."""
