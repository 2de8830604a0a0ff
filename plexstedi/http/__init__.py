"""Calls to a service: limited, retried by safety, recorded and checked."""
