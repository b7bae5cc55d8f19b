"""From received audio to words."""
