"""Strict doubles of Plex and Stedi on loopback, with suppliers that acknowledge: used by `demo`, `sandbox` and tests.

Documents are not read or written with `plexstedi.edi`: an error there would otherwise go unnoticed on both sides.
"""
