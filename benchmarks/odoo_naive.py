"""The loop as somebody would write it first with odoorpc, run by the peers' Python: `odoo_naive.py PORT DATABASE KEY CSV`.

Belongs here: that loop. Not here: anything of the product (this file runs in another virtualenv), measuring (odoo).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import odoorpc  # of benchmarks/requirements-peers.lock


def main(port: str, database: str, key: str, path: str) -> None:
    """Search for both tags and for the e-mail address, then create, row by row."""
    odoo = odoorpc.ODOO("127.0.0.1", port=int(port), timeout=600)
    odoo.login(database, "admin", key)
    partners, categories = odoo.env["res.partner"], odoo.env["res.partner.category"]
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            tags = [categories.search([("name", "=", tag)])[0] for tag in row.pop("category_id").split(",")]
            if not partners.search([("email", "=", row["email"])]):
                partners.create({**row, "category_id": [(6, 0, tags)]})


if __name__ == "__main__":
    main(*sys.argv[1:])
