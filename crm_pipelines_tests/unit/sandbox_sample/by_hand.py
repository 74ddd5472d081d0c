"""Load a truth into a sandbox by hand, one request after the other: what a perfect migration would have sent.

Belongs here: a loader that shares no code with the product. Not here: what is asserted (test_compare).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx

Json = dict[str, Any]
ENTITY = {"organizations": "organization", "people": "person", "deals": "deal"}
CHOICES = {"GDPR status", "Subscription status", "Affiliate status", "shirt_size", "newsletter-format"}
TOKEN_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def part_of(truth: Json, people: Iterable[str]) -> Json:
    """Return the truth of some people and of everything that hangs on them."""
    records, wanted = truth["records"], set(people)
    kept = {"people": {key: records["people"][key] for key in wanted}}
    kept["deals"] = {key: one for key, one in records["deals"].items() if one["person_id"] in wanted}
    kept["notes"] = {key: one for key, one in records["notes"].items() if one["person_id"] in wanted}
    kept["activities"] = {key: one for key, one in records["activities"].items() if one["participants"][0] in wanted}
    organizations = {one["org_id"] for one in kept["people"].values()}
    kept["organizations"] = {key: one for key, one in records["organizations"].items() if key in organizations}
    kept["users"] = records["users"]
    return {**truth, "records": kept}


class ByHand:
    """Sends records to the vendor's API and remembers their ids."""

    def __init__(self, base_url: str, token: str) -> None:
        self.client = httpx.Client(base_url=base_url, headers={"x-api-token": token}, trust_env=False, timeout=30)
        self.ids: dict[str, dict[str, int]] = {"organizations": {}, "people": {}, "deals": {}, "activities": {}, "notes": {}}
        self.codes: dict[tuple[str, str], str] = {}
        self.options: dict[tuple[str, str, str], int] = {}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def load(self, truth: Json) -> None:
        records = truth["records"]
        self.users = {str(user["email"]): user["id"] for user in self.ask("GET", "/api/v1/users")}
        self._prepare(records)
        for key, one in records["organizations"].items():
            self._create("organizations", key, {"name": one["name"], **self._if(one, "add_time")}, one)
        for key, one in records["people"].items():
            body = self._if(one, "name", "emails", "phones", "add_time", "marketing_status")
            self._create("people", key, body | self._links(one), one)
        for key, one in records["deals"].items():
            self._create("deals", key, self._deal(one), one)
        for key, one in records["activities"].items():
            self.ids["activities"][key] = self.ask("POST", "/api/v2/activities", self._activity(key, one))["id"]
        for key, one in records["notes"].items():
            content = f"{one['content']}<br><br>[{token_of(key)}]"
            self.ids["notes"][key] = self.ask(
                "POST", "/api/v1/notes", {"content": content, "person_id": self.ids["people"][one["person_id"]]}
            )["id"]

    def _prepare(self, records: Json) -> None:
        pipeline = self.ask("POST", "/api/v2/pipelines", {"name": "Kartra"})["id"]
        self.stages = {
            name: self.ask("POST", "/api/v2/stages", {"name": name, "pipeline_id": pipeline})["id"]
            for name in ("Purchases", "Subscriptions")
        }
        for phase, entity in ENTITY.items():
            self._prepare_fields(phase, entity, records[phase].values())
            labels = sorted({label for one in records[phase].values() for label in one.get("label_ids", ())})
            if labels:
                added = self.ask("POST", f"/api/v2/{entity}Fields/label_ids/options", [{"label": label} for label in labels])
                self.options |= {(phase, "label_ids", option["label"]): option["id"] for option in added}

    def _prepare_fields(self, phase: str, entity: str, records: Iterable[Json]) -> None:
        values: dict[str, list[Any]] = {}
        for one in records:
            for name, value in one["custom"].items():
                values.setdefault(name, []).append(value)
        for name, found in values.items():
            kind = kind_of(name, found[0])
            body: Json = {"field_name": name, "field_type": kind}
            if kind in {"enum", "set"}:
                labels = sorted({label for value in found for label in (value if kind == "set" else [value])})
                body["options"] = [{"label": label} for label in labels]
            made = self.ask("POST", f"/api/v2/{entity}Fields", body)
            self.codes[phase, name] = made["field_code"]
            self.options |= {(phase, name, option["label"]): option["id"] for option in made["options"] or ()}

    def _create(self, phase: str, key: str, body: Json, one: Json) -> None:
        custom = {self.codes[phase, name]: self._coded(phase, name, value) for name, value in one["custom"].items()}
        labels = [self.options[phase, "label_ids", label] for label in one.get("label_ids", ())]
        body = {**body, "custom_fields": custom, **({"label_ids": labels} if labels else {})}
        self.ids[phase][key] = self.ask("POST", f"/api/v2/{'persons' if phase == 'people' else phase}", body)["id"]

    def _coded(self, phase: str, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self.options[phase, name, label] for label in value]
        return self.options.get((phase, name, value), value) if isinstance(value, str) else value

    def _deal(self, one: Json) -> Json:
        body = self._if(one, "title", "value", "currency", "status", "won_time", "lost_time", "lost_reason", "expected_close_date")
        return body | self._links(one) | {"person_id": self.ids["people"][one["person_id"]], "stage_id": self.stages[one["stage_id"]]}

    def _activity(self, key: str, one: Json) -> Json:
        body = self._if(one, "subject", "type", "due_date", "due_time", "duration", "done") | self._links(one)
        if "location" in one:
            body["location"] = {"value": one["location"]}
        people = [{"person_id": self.ids["people"][person], "primary": True} for person in one["participants"]]
        return {**body, "participants": people, "note": f"{one['note']}<br>[{token_of(key)}]"}

    def _links(self, one: Json) -> Json:
        found: Json = {}
        if "org_id" in one:
            found["org_id"] = self.ids["organizations"][one["org_id"]]
        if "owner_id" in one:
            found["owner_id"] = self.users[one["owner_id"]]
        return found

    @staticmethod
    def _if(one: Json, *names: str) -> Json:
        return {name: one[name] for name in names if name in one}


def kind_of(name: str, value: Any) -> str:
    if name in CHOICES:
        return "enum"
    if isinstance(value, list | dict | float):
        return {list: "set", dict: "address", float: "double"}[type(value)]
    if name.endswith(("date", "requested on")):
        return "date"
    return "text" if name == "about_you" else "varchar"


def token_of(key: str) -> str:
    """Return a mark of the product's shape, made another way."""
    number = int.from_bytes(key.encode().rjust(10, b"\0"), "big")
    return "crm-" + "".join(TOKEN_ALPHABET[(number >> (5 * place)) & 31] for place in range(16))
