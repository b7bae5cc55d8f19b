"""Outcomes and a rule give windows, gaps and blind spans."""
