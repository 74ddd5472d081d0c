"""Carry out what `prepare` found missing, one journalled step after the other.

Belongs here: the order of journal and network for schema steps. Not here: what is missing and how it is asked for (prepare).
"""

from __future__ import annotations

import time

from crm_pipelines.destinations.base import WantedSchema
from crm_pipelines.destinations.call import Answer
from crm_pipelines.destinations.pipedrive import prepare
from crm_pipelines.destinations.pipedrive.api import Api
from crm_pipelines.destinations.pipedrive.describe import Described, describe
from crm_pipelines.errors import DestinationError, OutcomeUnknown, RefusedError
from crm_pipelines.journal import Attempt, Journal, Outcome
from crm_pipelines.keys import payload_hash
from crm_pipelines.observe import failpoint

UNANSWERED_STEPS = 3


def make(api: Api, wanted: WantedSchema, described: Described, journal: Journal) -> Described:
    """Make what is missing; returns the account as it is then.

    Raises: SettingsError before anything is made when a cap would be passed; RefusedError when the vendor refuses a step.
    """
    unanswered = 0
    while (request := _next(wanted, described)) is not None:
        try:
            answer = _carry_out(api, request, journal)
        except OutcomeUnknown:
            unanswered += 1
            if unanswered >= UNANSWERED_STEPS:
                raise
            time.sleep(api.account.apply_within_s)
            described = api.run(describe(api), journal)
            continue
        described = prepare.learn(described, request, answer.data)
        failpoint("prepare.between_steps")
    return described


def _next(wanted: WantedSchema, described: Described) -> prepare.Request | None:
    return next(prepare.requests(prepare.missing(wanted, described.schema), wanted, described), None)


def _carry_out(api: Api, request: prepare.Request, journal: Journal) -> Answer:
    attempt = Attempt(request.name, "prepare", payload_hash(request.name.encode()), b"", request.name, request.call.cost)
    attempt_id = journal.sending([attempt], api.meter.allowance())[0]
    failpoint("journal.intent_durable_unsent")
    try:
        answer = api.run(api.http.send(request.call))
    except OutcomeUnknown:
        raise
    except DestinationError:
        journal.answered([Outcome(attempt_id, attempt.key, "absent", reason="not_sent")])
        raise
    if answer.refusal is not None:
        journal.answered([Outcome(attempt_id, attempt.key, "refused", reason=answer.refusal.reason)])
        raise RefusedError(
            f"Pipedrive refused to make {request.name} ({answer.refusal.reason}); is the token's user an admin, and has the plan room?"
        )
    journal.answered([Outcome(attempt_id, attempt.key, "created", _made_id(answer))])
    return answer


def _made_id(answer: Answer) -> str:
    data = answer.data[0] if isinstance(answer.data, list) else answer.data
    return str(data.get("field_code") or data.get("id"))
