"""What status and check report."""
