"""`make ui`: Dagster on this installation's engagements, with the demos' servers running again from their state."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import orjson

from crm_pipelines.defs.home import initialise
from crm_pipelines.sandbox.pipedrive.config import SandboxConfig
from crm_pipelines.sandbox.pipedrive.running import start


def main() -> int:
    """Run `dagster dev` until it is stopped."""
    where = initialise()
    os.environ.setdefault("CRM_DEMO_TOKEN", "demo-token")
    os.environ["DAGSTER_HOME"] = str(where.dagster_home)
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # `dagster dev` announces its successor, `dg dev`, on every start
    with ExitStack() as servers:
        for path in sorted(where.engagements.glob("*/sandbox.json")):
            config = SandboxConfig.from_json(orjson.loads(path.read_bytes()))
            try:
                server = servers.enter_context(start(config, path.with_name("sandbox.log")))
                print(f"{path.parent.name}: Pipedrive sandbox on {server.base_url}")
            except RuntimeError as error:
                print(f"{path.parent.name}: {error}")
        if (where.engagements / "demo-odoo").is_dir():
            print(f"demo-odoo: {odoo()}")
        command = [str(Path(sys.executable).with_name("dagster")), "dev", "-w", str(where.root / "workspace.yaml"), *sys.argv[1:]]
        try:
            return subprocess.run(command, check=False, cwd=where.dagster_home).returncode
        except KeyboardInterrupt:
            return 0


def odoo() -> str:
    """Start the demo's Odoo where it is installed, and tell where it is."""
    done = subprocess.run([str(Path(__file__).with_name("odoo.sh")), "start"], check=False, capture_output=True, text=True)
    told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    if done.returncode or "ODOO_KEY_FILE" not in told:
        return "Odoo does not run; make odoo"
    os.environ.setdefault("CRM_DEMO_ODOO_KEY", Path(told["ODOO_KEY_FILE"]).read_text().strip())
    return f"Odoo on {told['ODOO_URL']}"


if __name__ == "__main__":
    sys.exit(main())
