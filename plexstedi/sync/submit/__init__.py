"""From the state to Stedi: what is due, frozen, sent, delivered."""
