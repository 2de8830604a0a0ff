"""Plex Connect and the OAuth2 interface: rows, orders, invoices, receipts."""
