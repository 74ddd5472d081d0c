"""Declarative CRM migrations on Dagster: every row accounted for, no record twice."""

__version__ = "0.1.0"
