"""What people and machines read afterwards: reconciliation as HTML and JSON, queues as CSV, tables for a terminal."""
