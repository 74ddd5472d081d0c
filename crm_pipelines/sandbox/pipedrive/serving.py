"""Running the server from a command line or a config.

Belongs here: arguments and uvicorn. Not here: starting it as a child process (running).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any

from crm_pipelines.sandbox.pipedrive.config import PLANS, SandboxConfig, SandboxUser


def serve(config: SandboxConfig) -> None:
    """Serve until stopped."""
    import gc

    import uvicorn

    from crm_pipelines.sandbox.pipedrive.gateway import Gateway

    gc.set_threshold(50_000, 50, 100)  # hundreds of thousands of records live long; default passes over them cost more than requests
    uvicorn.run(
        Gateway(config), host=config.host, port=config.port, http="httptools", loop="uvloop", ws="none", lifespan="off", access_log=False,
        log_level="warning", server_header=False, date_header=False, proxy_headers=False, timeout_keep_alive=75,
        timeout_graceful_shutdown=3, backlog=1_024,
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sandbox as a command; 0 when stopped, 2 for arguments that cannot be."""
    arguments = _parser().parse_args(argv)
    try:
        config = _from_stdin() if arguments.config == "-" else _config(arguments)
    except (ValueError, TypeError) as error:
        sys.stderr.write(f"sandbox pipedrive: {error}\n")
        return 2
    if arguments.config is None:
        sys.stderr.write(f"Pipedrive sandbox, plan {config.plan}, {config.seats} seat(s), http://{config.host}:{config.port}\n")
    serve(config)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox pipedrive", description="A local server that behaves like the Pipedrive API.")
    parser.add_argument("--port", type=int, default=8801)
    parser.add_argument("--token", default="sandbox-token", help="the credential that a client uses")
    parser.add_argument("--plan", choices=list(PLANS), default="ultimate")
    parser.add_argument("--seats", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="decides the custom field keys")
    parser.add_argument("--state", help="file that keeps the account over restarts")
    parser.add_argument("--auth", choices=["api", "oauth"], default="api", help="which kind of token it is; decides the burst limits")
    parser.add_argument("--spent", type=int, default=0, help="tokens that other apps have used today")
    parser.add_argument("--sandbox-token", default="sandbox", help="guards /__sandbox__/")
    parser.add_argument("--campaigns", action="store_true", help="the account has the Campaigns product")
    parser.add_argument("--contact-sync", action="store_true", help="the account has contact sync")
    parser.add_argument("--user", action="append", default=[], metavar="EMAIL=NAME", help="a user; the first is the admin")
    parser.add_argument("--timezone", default="UTC", help="the zone whose midnight ends the day")
    parser.add_argument("--currency", default="USD")
    parser.add_argument("--switches", default="{}", help="JSON object of switches")
    parser.add_argument("--config", help=argparse.SUPPRESS)
    return parser


def _config(arguments: argparse.Namespace) -> SandboxConfig:
    values = {key: value for key, value in vars(arguments).items() if key not in {"user", "config"}}
    values["switches"] = json.loads(arguments.switches)
    values["users"] = [_user(text, is_first=number == 0) for number, text in enumerate(arguments.user)]
    return SandboxConfig.from_json(values)


def _user(text: str, is_first: bool) -> dict[str, Any]:
    email, _, name = text.partition("=")
    user = SandboxUser(email, name or email.partition("@")[0], is_admin=is_first)
    return {"email": user.email, "name": user.name, "is_admin": user.is_admin}


def _from_stdin() -> SandboxConfig:
    """Read one line of JSON, then end with the process that holds the other end of the pipe."""
    config = SandboxConfig.from_json(json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return config


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)
