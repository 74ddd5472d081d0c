"""What a migration does, one verb per file: extract, stage, resolve, map, plan, load, reconcile, verify, rollback.

Belongs here: the order of work between sources, ledger and destinations, seen through their protocols. Not here: a
vendor's name or format (sources, destinations), Dagster (defs), the mapping language (spec).
"""
