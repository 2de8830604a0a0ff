"""Plex through data sources only: tables, orders, releases, over JSON or SOAP."""
