"""Servers that call themselves compatible: each with a realtime dialect of its own."""
