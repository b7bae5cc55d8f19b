"""The sandbox on a port."""
