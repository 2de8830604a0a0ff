"""What a terminal and a page show: one list of sections, as text and as HTML."""
