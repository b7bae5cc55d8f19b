"""Earwitness: listens to speech-to-text models on a schedule and testifies about what failed."""

__version__ = "0.1.0"
