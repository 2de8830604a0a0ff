"""Read orders, receipts and invoices from Plex into the state."""
