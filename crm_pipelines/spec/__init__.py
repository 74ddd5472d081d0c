"""The mapping language: YAML that a client can read, compiled to polars expressions. Pure: no network, no ledger."""
