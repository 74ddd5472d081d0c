"""One suite for every database the ledger lives in.

Belongs here: what any ledger promises, over SQLite and, with CRM_TEST_POSTGRES_URL set, PostgreSQL. Not here: what only
SQLite has (unit/ledger), random sequences (generative).
"""
