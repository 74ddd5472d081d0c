"""Files, v1: multipart upload, reading, renaming, deleting, remote links.

Belongs here: files and what they hang on. Not here: parsing multipart bodies (gateway).
Source: S1 addFile, getFiles (at most 100 a page since 2025-01-15), updateFile, linkFileToItem. The maximum size is open
(a switch).
"""

from __future__ import annotations

import base64
from typing import Any

from crm_pipelines.sandbox.pipedrive import validation as v
from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request_v1, not_found_v1, ok
from crm_pipelines.sandbox.pipedrive.listing import list_v1, number_v1
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation, Upload
from crm_pipelines.sandbox.pipedrive.records import utc_v1
from crm_pipelines.sandbox.pipedrive.store import Record

MAX_PAGE = 100
_PARENTS = {"deal_id": "deals", "person_id": "persons", "org_id": "organizations", "product_id": "products", "activity_id": "activities",
            "lead_id": "leads", "project_id": "projects"}  # fmt: skip
_ITEM_TYPES = {"deal": "deal_id", "organization": "org_id", "person": "person_id"}
_NAMED = {
    "deals": ("deal_name", "title"),
    "persons": ("person_name", "name"),
    "organizations": ("org_name", "name"),
    "products": ("product_name", "name"),
}


def show(call: Call, record: Record) -> dict[str, Any]:
    """A file as v1 shows it, with the names of what it hangs on."""
    shown = {key: value for key, value in record.items() if key != "content_base64"}
    shown["url"] = f"http://{call.account.config.host}:{call.account.config.port}/v1/files/{record['id']}/download"
    for key, table in _PARENTS.items():
        if table in _NAMED:
            name, column = _NAMED[table]
            parent = call.account.store.get(table, record[key])
            shown[name] = parent and parent[column]
    return shown


def add(call: Call) -> Answer:
    """POST /files, multipart."""
    upload = call.files.get("file")
    if upload is None:
        raise bad_request_v1("No files attached.")
    if len(upload.content) > call.account.switches.file_size_cap_bytes:
        raise bad_request_v1("File is too large.")
    links = {key: _parent(call, key, call.body[key]) for key in _PARENTS if call.body.get(key) not in (None, "")}
    if any(key not in _PARENTS and key != "file_type" for key in call.body):
        raise bad_request_v1()
    return ok(show(call, _store(call, upload, links, {})))


def _parent(call: Call, key: str, value: str) -> Any:
    number = value if key == "lead_id" else number_v1(value, 0)
    if call.account.store.find(_PARENTS[key], number) is None:
        raise bad_request_v1(f"{key}: {value} was not found.")
    return number


def _store(call: Call, upload: Upload, links: dict[str, Any], remote: dict[str, str]) -> Record:
    table, now = call.account.store.table("files"), utc_v1(call.account.clock.utc())
    number = table.next_id()
    stem, dot, ending = upload.name.rpartition(".")
    record = {
        "id": number, "user_id": call.user["id"], **{key: links.get(key) for key in _PARENTS}, "log_id": None, "add_time": now,
        "update_time": now, "file_name": f"{stem or ending}_{number:032x}{dot}{ending if stem else ''}",
        "file_type": ending.lower() if dot else "", "file_size": len(upload.content), "active_flag": True, "inline_flag": False,
        "remote_location": remote.get("remote_location", "s3"), "remote_id": remote.get("remote_id", ""), "cid": "", "s3_bucket": "",
        "mail_message_id": "", "mail_template_id": "", "name": upload.name, "description": "",
        "content_base64": base64.b64encode(upload.content).decode(),
    }  # fmt: skip
    return call.account.store.put("files", record)


def update(call: Call) -> Answer:
    """PUT /files/{id}: name and description."""
    record = _file(call)
    body = v.check_body_v1(call.body, {"name": v.text(), "description": v.text()})
    return ok(show(call, call.account.store.put("files", {**record, **body, "update_time": utc_v1(call.account.clock.utc())})))


def link(call: Call) -> Answer:
    """POST /files/remoteLink: a remote file on a deal, organization or person."""
    required = dict.fromkeys(("item_type", "item_id", "remote_id", "remote_location"), "Bad request")
    body = v.check_body_v1(call.body, dict.fromkeys(required, lambda value: None), required)
    key = _ITEM_TYPES.get(body["item_type"])
    if key is None or body["remote_location"] != "googledrive":
        raise bad_request_v1()
    links = {key: _parent(call, key, str(body["item_id"]))}
    remote = {"remote_id": str(body["remote_id"]), "remote_location": body["remote_location"]}
    return ok(show(call, _store(call, Upload(remote["remote_id"], b""), links, remote)))


def get(call: Call) -> Answer:
    """GET /files/{id}."""
    return ok(show(call, _file(call)))


def download(call: Call) -> Answer:
    """GET /files/{id}/download."""
    return Answer(200, base64.b64decode(_file(call)["content_base64"]), b"application/octet-stream")


def list_all(call: Call) -> Answer:
    """GET /files."""
    return list_v1(call, call.account.store.table("files").live(), lambda row: show(call, row), MAX_PAGE)


def delete(call: Call) -> Answer:
    """DELETE /files/{id}."""
    record = _file(call)
    call.account.store.put("files", {**record, "active_flag": False, "update_time": utc_v1(call.account.clock.utc())})
    return ok({"id": record["id"]})


def _file(call: Call) -> Record:
    record = call.account.store.find("files", call.number)
    if record is None:
        raise not_found_v1("File not found")
    return record


OPERATIONS = [
    Operation("getFiles", "v1", "GET", "/files", 20, list_all),
    Operation("addFile", "v1", "POST", "/files", 10, add),
    Operation("linkFileToItem", "v1", "POST", "/files/remoteLink", 10, link),
    Operation("getFile", "v1", "GET", "/files/{id}", 2, get),
    Operation("updateFile", "v1", "PUT", "/files/{id}", 10, update),
    Operation("deleteFile", "v1", "DELETE", "/files/{id}", 6, delete),
    Operation("downloadFile", "v1", "GET", "/files/{id}/download", 20, download),
]
