"""From Stedi into the state: what suppliers sent, read, matched and decided."""
