"""What an operator is told of an engagement.yaml that will not do: file, line and key of everything, in our words, and no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crm_pipelines.cli import main
from crm_pipelines.defs.component import engagement_definitions
from crm_pipelines.errors import SettingsError
from crm_pipelines.settings import Home, load_engagement
from crm_pipelines_tests.unit.defs.conftest import install

SPECS = Path(__file__).parents[2] / "mapping_specs"
SECRET = "f00dfeed5ecret"
SOUND = """\
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: kartra_to_pipedrive
  account:
    name: acme
    base_url: http://127.0.0.1:9
    token_env: CRM_TEST_TOKEN
  source:
    timezone: America/New_York
"""
MANY = """\
type: crm_pipelines.defs.component.CrmMigration
atributes: {}
attributes:
  rout: kartra_to_pipedrive
  chunks_per_run: many
  account:
    name: Acme Inc
    token: f00dfeed5ecret
    reserve_pct: 120
    seats: three
    auth: api-token
  source:
    timezone: Eastern
    files:
      contacts.csv: {exported_at: 2025, date_order: ymd, decimal_locale: [us]}
      tags.csv: f00dfeed5ecret
  owners: {a: b}
"""


def at(folder: Path, text: str) -> Home:
    (folder / "engagements" / "acme").mkdir(parents=True, exist_ok=True)
    (folder / "engagements" / "acme" / "engagement.yaml").write_text(text, encoding="utf-8")
    return Home(folder, folder / "engagements", SPECS, folder / "dagster_home", "sqlite://")


def refused(folder: Path, text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_engagement("acme", at(folder, text))
    return caught.value


def lines(error: SettingsError) -> list[str]:
    return [f"{problem.line}: {problem.path}: {problem.message}" for problem in error.problems]


def test_everything_that_is_wrong_is_told_at_once_by_line_in_our_words(tmp_path: Path) -> None:
    error = refused(tmp_path, MANY)
    moment = "must be a day and time with offset, as 2025-06-01T09:00:00-04:00"
    assert [line.partition("; known here:")[0] for line in lines(error)] == [
        "2: atributes: unknown key; did you mean 'attributes'?",
        "3: attributes.route: is missing",
        "4: attributes.rout: unknown key; did you mean 'route'?",
        "5: attributes.chunks_per_run: must be a whole number, as 25",
        "6: attributes.account.token_env: is missing",
        "7: attributes.account.name: must be a name of lower-case letters, digits and _, as acme_sales",
        "8: attributes.account.token: unknown key; did you mean 'token_env'?",
        "9: attributes.account.reserve_pct: must be at most 95",
        "10: attributes.account.seats: must be a whole number, as 25",
        "11: attributes.account.auth: must be one of 'api_token' or 'oauth'; did you mean 'api_token'?",
        "13: attributes.source.timezone: is no IANA time zone; write e.g. America/New_York",
        f"15: attributes.source.files.contacts.csv.exported_at: {moment}",
        "15: attributes.source.files.contacts.csv.date_order: must be one of 'dmy' or 'mdy'; did you mean 'mdy'?",
        "15: attributes.source.files.contacts.csv.decimal_locale: must be one of 'us' or 'eu'",
        "16: attributes.source.files.tags.csv: must hold `name: value` lines",
        "17: attributes.owners: must be a list, as [one, another]",
    ]
    file = tmp_path / "engagements" / "acme" / "engagement.yaml"
    assert f"{file}:4: attributes.rout: unknown key; did you mean 'route'?; known here: account, chunks_per_run, exports," in str(error)
    assert str(error).splitlines()[-1].startswith("Correct the file and run the command again")
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            SOUND.replace("kartra_to_pipedrive", "kartra_to_pipdrive"),
            "3: attributes.route: no mapping spec kartra_to_pipdrive.yaml; did you",
        ),
        (SOUND.replace("    name: acme\n", "    name: acme\n    name: acme\n"), "6: attributes.account.name: is written twice; keep one"),
        (SOUND.replace("type:", "typ:"), "1: type: expected `type: crm_pipelines.defs.component.CrmMigration`"),
        ("- type\n", "1: type: expected `type: crm_pipelines.defs.component.CrmMigration`"),
        ("type: crm_pipelines.defs.component.CrmMigration\nattributes: [route]\n", "2: attributes: must hold `name: value` lines"),
        (SOUND.replace("name: acme", f"name: *{SECRET}"), "5: (text): is not readable YAML: a text that begins with * needs quotes"),
        (SOUND.replace("route:", "route: [", 1), "4: (text): is not readable YAML: "),
    ],
)
def test_one_mistake(tmp_path: Path, text: str, told: str) -> None:
    error = refused(tmp_path, text)
    assert any(line.startswith(told) for line in lines(error)), lines(error)
    assert SECRET not in str(error)


def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    where = at(tmp_path, SOUND)
    (where.engagements / "acme" / "engagement.yaml").write_bytes(b"type: \xff\n")
    with pytest.raises(SettingsError, match=r"engagement\.yaml: is not UTF-8 text \(byte 6\)"):
        load_engagement("acme", where)


def test_a_token_written_where_its_variable_is_named_is_not_repeated(tmp_path: Path) -> None:
    found = load_engagement("acme", at(tmp_path, SOUND.replace("CRM_TEST_TOKEN", SECRET)))
    with pytest.raises(SettingsError, match="must name an environment variable") as caught:
        found.account({})
    assert SECRET not in str(caught.value)


def test_moments_are_read_with_their_offset(tmp_path: Path) -> None:
    text = SOUND + "    files:\n      contacts.csv: {exported_at: 2025-06-01T09:00:00-04:00}\n"
    moment = load_engagement("acme", at(tmp_path, text)).node.source.files["contacts.csv"].exported_at
    assert moment is not None
    assert moment.isoformat() == "2025-06-01T09:00:00-04:00"


def test_the_command_line_and_the_dagster_asset_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, monkeypatch)
    at(tmp_path, MANY)
    with pytest.raises(SystemExit) as ended:
        main(["status", "acme"])
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "engagement.yaml:5: attributes.chunks_per_run: must be a whole number" in told
    assert "Traceback" not in told
    (asset,) = engagement_definitions("acme").assets or ()
    assert asset.descriptions_by_key[asset.key].strip().endswith(told.strip())  # type: ignore[union-attr]
    with pytest.raises(SystemExit):
        main(["status", "acme", "--json"])
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 16
