"""Outcomes in and out: adding, order, rollups, reading."""
