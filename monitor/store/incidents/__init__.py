"""Incidents, their notices, and what a report needs of them."""
