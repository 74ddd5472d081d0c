"""`make demo [ROUTE=...]`: a messy Kartra export into a CRM of this machine, as a user would do it, compared with the truth at the end.

Everything that touches the product goes through `crm ...`; the truth is read from the server's side.
Exits 0 when all is as expected: exactly the five planted rows wait, nothing differs, the second run changes nothing.
"""

from __future__ import annotations

import importlib
import sys
import time

from demo_stage import screen
from rich.markup import escape

ROUTES = {"kartra_to_pipedrive": "demo_pipedrive", "kartra_to_odoo": "demo_odoo"}


def main(route: str) -> int:
    """Run the demo of a route; 0 when everything is as expected."""
    if route not in ROUTES:
        screen.print(f"there is no demo of {route!r}; there are: {', '.join(ROUTES)} (make demo ROUTE=...)")
        return 2
    began = time.monotonic()
    problems = list(importlib.import_module(ROUTES[route]).demo())
    took = time.monotonic() - began
    for problem in problems:
        screen.print(f"[bold red]not as expected:[/] {escape(problem)}")
    if problems:
        return 1
    screen.print(f"\n[bold green]As expected[/], in {took:.0f} s. Open the graph, history kept: [bold]make ui[/]")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "kartra_to_pipedrive"))
    except RuntimeError as error:  # a server that does not start says why
        screen.print(f"[bold red]the demo cannot run:[/] {escape(str(error))}")
        sys.exit(1)
