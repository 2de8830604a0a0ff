"""Send documents from the state to Stedi: decide, freeze, send, confirm delivery."""
