"""The realtime session that several pathways share, as a conversation without I/O."""
