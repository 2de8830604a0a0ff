"""Read, match and decide what suppliers sent through Stedi."""
