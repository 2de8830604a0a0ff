"""What buyers do in Plex."""

from __future__ import annotations


def edit(bench, number, add=5):
    """A buyer orders more of the first release."""
    with bench.sandbox.lock:
        line = bench.sandbox.plex.order(number).lines[0]
        release = line.releases[0]
        bench.sandbox.plex.edit_release(number, line.number, release.number, quantity=release.quantity + add)
    return release
