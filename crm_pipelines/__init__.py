"""Declarative CRM migrations on Dagster: every row accounted for, no record twice."""
