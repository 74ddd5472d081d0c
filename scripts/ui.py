"""`make ui`: Dagster on this installation's engagements, with the demo's sandboxes running again from their state."""

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
        command = [str(Path(sys.executable).with_name("dagster")), "dev", "-w", str(where.root / "workspace.yaml"), *sys.argv[1:]]
        try:
            return subprocess.run(command, check=False, cwd=where.dagster_home).returncode
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
