"""What `init` asks the services."""
