"""Partners into a real Odoo: records per CPU second of the server, ours beside the tools people import with.

    python -m benchmarks odoo [--contacts 5000] [--rounds 5] [--quick]

Belongs here: the rounds, what is compared, the figures and their goals. Not here: the server and its clocks (odoo_server), the
data (odoo_people), the contenders (odoo_ours, odoo_peers).
"""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import odoo_ours, odoo_peers, odoo_people
from benchmarks.figures import Goal, Result
from benchmarks.odoo_peers import TUNINGS, Tuning
from benchmarks.odoo_server import CONTEXT, Install, Server, Spent, as_detail, database, install, measured, rows, running

CONTACTS, ROUNDS = 5_000, 5
QUICK_CONTACTS, QUICK_ROUNDS = 500, 2
TUNED_ON, TRIES = 2_000, 2
NAIVE = 200
OURS, TOOL = "ours", "thread importer"
FIRST, AGAIN, BY_LEDGER = "first load", "unchanged re-run", "unchanged re-run by the ledger"
DESCRIBE = "describe and prepare before the "
HOW = """
{count:,} partners with two of twenty tags each, {times} rounds in turn. The importer runs with {tuning} (json2, `tracking_disable`),
the best of {tried} ways tried on this server. Re-run without a ledger: id map, bulk read, every field compared; by the ledger: hashes,
then the listing that verifies them."""
EXTERNAL = "select count(*) from ir_model_data where model = 'res.partner' and module = %s and name like 'people.%%'"
WRITTEN = "select id, write_date from res_partner where ref is not null"


@dataclass
class Rounds:
    """All measurements: (contender, what) -> one Spent per round."""

    spent: dict[tuple[str, str], list[Spent]] = field(default_factory=lambda: defaultdict(list))
    rewritten: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def pace(self, who: str, what: str, count: int, and_before: str = "") -> list[float]:
        """Return records per CPU second of the server, round by round; `and_before` is counted as part of it."""
        before = [each.cpu_s for each in self.spent[who, and_before]] if and_before else [0.0] * len(self.spent[who, what])
        return [count / (each.cpu_s + more) for each, more in zip(self.spent[who, what], before, strict=True)]


@dataclass(frozen=True)
class Turn:
    """One contender on one fresh database."""

    server: Server
    name: str
    count: int
    who: str
    into: Rounds

    def first(self, work: Callable[[], None]) -> None:
        """Measure a first load; the database's own rows say that it is complete."""
        with measured(self.server, self.name) as spent:
            work()
        self.into.spent[self.who, FIRST].append(spent)
        _hold_against_truth(self.server.install, self.name, self.count, has_keys=True)

    def again(self, what: str, work: Callable[[], None]) -> None:
        """Measure a re-run, and count the partners that it wrote although nothing had changed."""
        before = dict(rows(self.server.install, self.name, WRITTEN))
        with measured(self.server, self.name) as spent:
            work()
        self.into.spent[self.who, what].append(spent)
        after = dict(rows(self.server.install, self.name, WRITTEN))
        self.into.rewritten[self.who, what] += sum(1 for number, moment in after.items() if before.get(number) != moment)


def run(result: Result, contacts: int | None = None, rounds: int | None = None) -> None:
    """Measure all contenders on fresh databases of one server, in turn. Raises: RuntimeError where no Odoo is installed."""
    found = install()
    if found is None:
        raise RuntimeError("no Odoo is installed for the benchmark; run `make odoo` first (or set CRM_ODOO_HOME)")
    count = contacts or (QUICK_CONTACTS if result.is_quick else CONTACTS)
    times = rounds or (QUICK_ROUNDS if result.is_quick else ROUNDS)
    odoo_peers.install()
    with running(found) as server:
        tuning, tried = _tuned(server, min(count, TUNED_ON))
        measurements = Rounds()
        for _ in range(times):
            _our_round(server, count, measurements)
            _their_round(server, count, tuning, measurements)
        naive = _naive_round(server, min(count // 10, NAIVE))
    result.how += HOW.format(count=count, times=times, tuning=tuning, tried=len(tried))
    report(result, measurements, count)
    result.add("naive odoorpc loop: first load", naive["count"] / naive["spent"].cpu_s, "records/CPU s", note=f"{naive['count']} rows")
    result.detail = _detail(measurements, tuning, tried, naive)


def _tuned(server: Server, count: int) -> tuple[Tuning, dict[str, float]]:
    """Try the importer's sizes and workers on a small set, all of them in turn; return the best and all paces."""
    spent: dict[Tuning, float] = defaultdict(float)
    for tuning in TUNINGS * TRIES:
        with _fresh(server) as (name, folder):
            path = odoo_people.write_csv(folder / "partners.csv", count)
            with measured(server, name) as tried:
                odoo_peers.import_csv(server, name, path, tuning)
        spent[tuning] += tried.cpu_s
    return min(spent, key=lambda each: spent[each]), {str(each): round(count * TRIES / cpu_s, 1) for each, cpu_s in spent.items()}


def _our_round(server: Server, count: int, into: Rounds) -> None:
    with _fresh(server) as (name, folder):
        turn = Turn(server, name, count, OURS, into)
        with _opened(turn, folder / "first", FIRST) as account:
            turn.first(partial(account.load, count))
            turn.again(BY_LEDGER, partial(account.run_again, count))
        with _opened(turn, folder / "again", AGAIN) as account:
            turn.again(AGAIN, partial(account.load_again, count))


@contextmanager
def _opened(turn: Turn, folder: Path, what: str) -> Iterator[odoo_ours.Account]:
    """Yield an account with a new ledger; what describing the database costs is a measurement of its own."""
    folder.mkdir()
    with ExitStack() as stack:
        with measured(turn.server, turn.name) as spent:
            account = stack.enter_context(odoo_ours.account(turn.server, turn.name, folder))
        turn.into.spent[OURS, DESCRIBE + what].append(spent)
        yield account


def _their_round(server: Server, count: int, tuning: Tuning, into: Rounds) -> None:
    with _fresh(server) as (name, folder):
        path = odoo_people.write_csv(folder / "partners.csv", count)
        work = partial(odoo_peers.import_csv, server, name, path, tuning)
        turn = Turn(server, name, count, TOOL, into)
        turn.first(work)
        turn.again(AGAIN, work)


def _naive_round(server: Server, count: int) -> dict[str, Any]:
    with _fresh(server) as (name, folder):
        path = odoo_peers.write_for_loop(folder / "partners.csv", count)
        with measured(server, name) as spent:
            odoo_peers.loop(server, name, path)
        _hold_against_truth(server.install, name, count, has_keys=False)
    return {"count": count, "spent": spent}


@contextmanager
def _fresh(server: Server) -> Iterator[tuple[str, Path]]:
    """Yield a database with the categories in it, warm, and a folder."""
    with ExitStack() as stack:
        name = stack.enter_context(database(server.install))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-bench-")))
        tags = [[odoo_people.tag_id(tag), tag] for tag in odoo_people.TAGS]
        server.call(name, "res.partner.category", "load", fields=["id", "name"], data=tags, context=CONTEXT)
        warm = [[f"{odoo_people.GIVEN}.warm_up", "Warm Up"]]  # the first partner of a database costs the server 0.15 s more
        server.call(name, "res.partner", "load", fields=["id", "name"], data=warm, context=CONTEXT)
        yield name, folder


def _hold_against_truth(found: Install, name: str, count: int, *, has_keys: bool) -> None:
    """Raises: RuntimeError when the database does not hold exactly the partners, by its own rows."""
    wanted = odoo_people.digest(count)
    if (there := rows(found, name, odoo_people.DIGEST)[0]) != (count, wanted):
        raise RuntimeError(f"the database holds {there[0]} partners, of {count}, or other values than were loaded")
    if has_keys and rows(found, name, EXTERNAL, (odoo_people.MODULE,)) != [(count,)]:
        raise RuntimeError("not every partner has its external id")


def report(result: Result, found: Rounds, count: int) -> None:
    """Add the figures of all rounds."""
    first = {who: found.pace(who, FIRST, count) for who in (OURS, TOOL)}
    again = {who: found.pace(who, AGAIN, count) for who in (OURS, TOOL)}
    for who in (OURS, TOOL):
        _pace(result, f"{who}: {FIRST}", first[who], found.spent[who, FIRST])
    _ratio(result, f"{FIRST}, ours over the {TOOL}", first, Goal("at least", 1.15))
    _pace(result, f"{OURS}: {AGAIN}, without a ledger", again[OURS], found.spent[OURS, AGAIN])
    _pace(result, f"{OURS}: {BY_LEDGER}", found.pace(OURS, BY_LEDGER, count), found.spent[OURS, BY_LEDGER])
    _pace(result, f"{TOOL}: {AGAIN}", again[TOOL], found.spent[TOOL, AGAIN])
    _ratio(result, f"{AGAIN}, ours over the {TOOL}", again, Goal("at least", 150))
    for what, theirs in ((FIRST, first[TOOL]), (AGAIN, again[TOOL])):
        whole = found.pace(OURS, what, count, and_before=DESCRIBE + what)
        _ratio(result, f"{what}, ours over the {TOOL}, describing the database included", {OURS: whole, TOOL: theirs})
    described = statistics.median(each.cpu_s for each in found.spent[OURS, DESCRIBE + FIRST])
    result.add(f"{OURS}: describing the database, once per run", described, "CPU s", note="in the last two figures alone")
    ours = found.rewritten[OURS, AGAIN] + found.rewritten[OURS, BY_LEDGER]
    result.add("unchanged records that ours rewrote", ours, "records", Goal("at most", 0), "by write_date, all rounds")
    result.add(f"unchanged records that the {TOOL} rewrote", found.rewritten[TOOL, AGAIN], "records")


def _pace(result: Result, name: str, paces: list[float], spent: list[Spent]) -> None:
    """Add a median with its spread, and what the clock and the client's CPU said."""
    wall, own = (statistics.median(getattr(each, of) for each in spent) for of in ("wall_s", "client_cpu_s"))
    note = f"{min(paces):,.0f} to {max(paces):,.0f}; {wall:.1f} s, client {own:.2f} s CPU"
    result.add(name, statistics.median(paces), "records/CPU s", note=note)


def _ratio(result: Result, name: str, paces: Mapping[str, list[float]], goal: Goal | None = None) -> None:
    """Add the ratio of the medians; its spread is that of the ratios within each round."""
    each = [ours / theirs for ours, theirs in zip(paces[OURS], paces[TOOL], strict=True)]
    ratio = statistics.median(paces[OURS]) / statistics.median(paces[TOOL])
    result.add(name, ratio, "times", goal, f"{min(each):.2f} to {max(each):.2f}")


def _detail(found: Rounds, tuning: Tuning, tried: Mapping[str, float], naive: Mapping[str, Any]) -> dict[str, Any]:
    spent = {f"{who}: {what}": [as_detail(each) for each in all_of] for (who, what), all_of in found.spent.items()}
    return {"spent": spent, "tuning": str(tuning), "tried": tried, "naive": as_detail(naive["spent"])}
