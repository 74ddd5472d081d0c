"""Every exception of the product. A class exists only where the caller does something different.

    CrmError
    +- SpecError              the author edits YAML; `.problems` lists every one with path and line   (exit 2)
    +- SettingsError          the operator fixes environment, engagement or credentials               (exit 2)
    +- SourceError            the export is not what the contract says; ask the client for a new one  (exit 2)
    +- NotConfirmedError      the map is not sealed, or what it covers changed; run `crm confirm`     (exit 2)
    +- DestinationError       carries phase and request id, never a field value                       (exit 3)
    |  +- TransientError      destinations.http retries within its budget; `.retry_after_s`
    |  +- RefusedError        the request is wrong; retrying cannot help
    |  +- QuotaExhausted      stop for today; the ledger resumes after `.resumes_at`
    |  +- OutcomeUnknown      sent, no answer: find by source key before anything else is sent
    +- LockedError            another writer holds the account; the message names it                  (exit 3)
    +- LedgerError            an invariant is broken; stop the engagement                             (exit 4)

Row failures are values in frames, never exceptions. Messages say what to do next and never hold a field value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

EXIT_RECONCILED = 0
EXIT_ROWS_WAIT = 10
EXIT_DIFFERENCES = 11
EXIT_SPEC_OR_SETTINGS = 2
EXIT_DESTINATION = 3
EXIT_INVARIANT = 4


class CrmError(Exception):
    """An error shown to the user as its message, without a traceback."""

    exit_code = EXIT_INVARIANT


@dataclass(frozen=True)
class Problem:
    """One mistake in a spec or settings file: where it is and what was expected."""

    path: str
    message: str
    line: int | None = None
    file: str = ""

    def __str__(self) -> str:
        """Render as `file:line: path: message`, the form editors can jump to."""
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        return f"{where}: {self.path}: {self.message}" if where else f"{self.path}: {self.message}"


class SpecError(CrmError):
    """A mapping spec or decisions file is wrong; all problems at once."""

    exit_code = EXIT_SPEC_OR_SETTINGS

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class SettingsError(CrmError):
    """Environment, engagement file or credentials are wrong; `problems` lists what is wrong with a file, all at once."""

    exit_code = EXIT_SPEC_OR_SETTINGS

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        self.problems = list(problems)
        super().__init__(message)


class SourceError(CrmError):
    """An export is not what the contract says."""

    exit_code = EXIT_SPEC_OR_SETTINGS


class NotConfirmedError(CrmError):
    """No valid seal covers what is about to be loaded."""

    exit_code = EXIT_SPEC_OR_SETTINGS


class DestinationError(CrmError):
    """The destination could not do what was asked."""

    exit_code = EXIT_DESTINATION


class TransientError(DestinationError):
    """The destination may answer later; the HTTP layer retries within its budget."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class RefusedError(DestinationError):
    """The destination said no, and would say no again."""


class QuotaExhausted(DestinationError):
    """The day's budget is spent; everything sent is recorded, the rest resumes after `resumes_at` (UTC)."""

    def __init__(self, message: str, resumes_at: datetime) -> None:
        self.resumes_at = resumes_at
        super().__init__(message)


class OutcomeUnknown(DestinationError):
    """A request left and no answer came; it is looked up before anything else is sent."""


class LockedError(CrmError):
    """Another writer holds the account."""

    exit_code = EXIT_DESTINATION


class LedgerError(CrmError):
    """The ledger contradicts itself or the account; nothing may be sent."""

    exit_code = EXIT_INVARIANT
