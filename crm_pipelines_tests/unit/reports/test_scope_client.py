"""What the scope document says to a client who has nothing else in hand: costs, steps, choices, and numbers that agree."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

from crm_pipelines.discovery.values import CleanCount, Discovery, OwnerFinding
from crm_pipelines.reports.scope import as_html, as_markdown
from crm_pipelines.reports.scope_facts import first_page
from crm_pipelines.reports.scope_words import counted
from crm_pipelines_tests.lib import found_by_hand as by_hand

BASE = by_hand.discovery()
MISSING = tuple(OwnerFinding(f"m{n}@example.com", None, {"contacts": 10}, {}) for n in range(3))
KINDS = {"stale": 500, "bounced": 10, "unsubscribed": 90, "unusable_email": 4, "duplicate_email": 19, "ruined_phone": 2}
CONTACTS = CleanCount(
    "contacts", 902, 900, KINDS, 381, dict.fromkeys(KINDS, "The rule."), merged=19, stale_with={"subscribed": 400, "tagged": 300}
)
BROKEN = (
    {"file": "contacts.csv", "object": "contacts", "reason": "truncated_last_row", "rows": 1},
    {"file": "sales.csv", "object": "transactions", "reason": "short_row", "rows": 3},
)


def seated(*, seats: int, users: int) -> dict[str, Any]:
    """Return an inspection with so many seats, and so many users in them."""
    there = {f"u{number}@example.org": str(number) for number in range(users)}
    return {**BASE.inspection, "schema": {**BASE.inspection["schema"], "seats": seats, "users": there}}


def told(found: Discovery) -> str:
    """Return everything that the first page says."""
    page = first_page(found)
    lines = [*page.decide, *page.lost, *page.clean, *page.informed, *page.waits, *(line for _, todo in page.todo for line in todo)]
    return " ".join([page.start, page.closing, page.clean_rule, *page.moving, *(f"{line.what} {line.more}" for line in lines)])


def yours(found: Discovery) -> dict[str, tuple[str, bool]]:
    return {line.what: (line.more, line.is_must) for line in first_page(found).todo[0][1]}


def engineers(found: Discovery) -> list[str]:
    return [line.what for line in first_page(found).todo[1][1]]


def test_who_is_to_be_invited_beyond_the_seats_costs_money_and_is_not_advised_first() -> None:
    words = told(by_hand.discovery(owners=MISSING, inspection=seated(seats=3, users=2)))
    assert "2 more seats would be needed" in words
    assert "seats cost money" in words
    assert words.index("Name in the workbook who takes over") < words.index("Or buy 2 seats and invite")
    assert "Invite m0" not in words


def test_the_first_page_tells_the_plan_its_seats_and_the_share_of_a_day() -> None:
    plan = {**BASE.forecast, "total_tokens": 25_920, "tokens_per_day": 630_000}
    page = first_page(by_hand.discovery(owners=MISSING[:1], inspection=seated(seats=3, users=5), forecast=plan))
    assert "3 seats paid for, 5 in use, 6 needed if everybody is invited; loading takes 5 % of what the plan lets through" in page.account
    assert "More people are active than there are seats: ask Other before you buy any." in page.account
    assert page.account in as_markdown(by_hand.discovery(owners=MISSING[:1], inspection=seated(seats=3, users=5), forecast=plan))
    assert not first_page(by_hand.discovery(inspection={}, forecast={})).account


def test_seats_that_are_free_or_not_sold_are_no_matter() -> None:
    for seats, users in ((9, 2), (0, 4)):
        words = told(by_hand.discovery(owners=MISSING, inspection=seated(seats=seats, users=users)))
        assert "more seat" not in words
        assert "invite them to Other" in words


def test_a_damaged_file_is_the_clients_and_a_line_that_can_be_corrected_the_engineers() -> None:
    files = (by_hand.file("contacts.csv", "contacts", 100, bad_rows=1), by_hand.file("sales.csv", "transactions", 100, bad_rows=3))
    found = by_hand.discovery(files=files, broken=BROKEN)
    more, is_must = yours(found)["Export this file again: contacts.csv"]
    assert is_must
    assert "1 row of contacts" in more
    assert "Correct 3 rows that cannot be read" in engineers(found)
    assert "export again 1 file" in first_page(found).start


def test_a_file_with_rounded_numbers_is_on_both_lists_and_the_loss_names_it() -> None:
    ruined = ({"file": "leads.csv", "object": "contacts", "rows": 12}, {"file": "contacts.csv", "object": "contacts", "rows": 1})
    found = by_hand.discovery(clean=(CONTACTS,), broken=BROKEN, ruined=ruined)
    page = first_page(found)
    assert "Export these files again, for the phone numbers: leads.csv, contacts.csv" in yours(found)
    assert "export again 2 files" in page.start
    assert "lost unless you export leads.csv and contacts.csv again" in next(one.more for one in page.lost if "phone" in one.what)


def test_old_exports_are_fetched_once_more_before_the_last_load() -> None:
    old = by_hand.file("contacts.csv", "contacts", 100, exported_at=by_hand.MADE - timedelta(days=166))
    more, _ = yours(by_hand.discovery(files=(old,)))["Export contacts again just before the last load"]
    assert more.startswith("Yours are 166 days old.")
    assert not [what for what in yours(BASE) if "just before the last load" in what]
    assert first_page(by_hand.discovery(files=(old,))).have[0].newest == old.exported_at


def test_only_the_four_kinds_are_a_choice_and_the_others_say_what_happens_to_them() -> None:
    keep = {**by_hand.decision("unusable_email", default="keep"), "options": {"keep": "They arrive without an address."}}
    page = first_page(by_hand.discovery(clean=(CONTACTS,), decisions=(keep,)))
    assert [line.what for line in page.clean] == ["500 stale", "10 bounced"]
    informed = {line.what: line.more for line in page.informed}
    assert len(informed) == 4, "no choice is told twice"
    assert "They arrive as unsubscribed." in informed["90 unsubscribed"]
    assert "They arrive without an address. (Unless you decide otherwise.)" in informed["4 with an e-mail address that cannot be used"]
    assert "400 of them are subscribed and 300 carry a tag" in page.clean[0].more


def test_the_figures_of_the_clean_up_follow_from_each_other_and_from_the_grade() -> None:
    found = by_hand.discovery(clean=(CONTACTS,))
    rule = first_page(found).clean_rule
    assert rule.startswith("19 of 900 different contacts share an address")
    assert "500 of the 881 people (56 %)" in rule
    assert rule.endswith("If all four stay behind, 381 arrive.")
    assert any(one.told.startswith("56 % of the contacts") for one in found.grades)


def test_what_waits_adds_up_and_says_what_it_assumes() -> None:
    waits = (
        {"phase": "people", "reason": "no_user", "records": 199},
        {"phase": "people", "reason": "no_email", "records": 1},
        {"phase": "deals", "reason": "parent_people", "records": 91},
    )
    page = first_page(by_hand.discovery(waits=waits, waits_named={"people": 1, "deals": 2}))
    assert sum(int(line.what.split()[0]) for line in page.waits) == 291
    assert "These 291 assume" in page.moving[0]
    assert "288 of them move as well and 3 still wait" in page.moving[0]


def test_money_is_told_per_currency_and_outcome() -> None:
    row = {"phase": "deals", "currency": "EUR", "status": "won", "records": 2, "amount": "1200.50", "waiting": "200.00"}
    lost = {**row, "status": "lost", "amount": "30.00", "waiting": "0.00"}
    assert "Deals in EUR: won 1,200.50 (200.00 of it waits), lost 30.00." in first_page(by_hand.discovery(money=(row, lost))).moving


def test_money_that_the_sums_leave_out_has_a_line() -> None:
    row = {"phase": "deals", "currency": "USD", "status": "won", "records": 2, "amount": "1200.50", "waiting": "0.00"}
    aside = (
        {"object": "transactions", "reason": "two_candidates", "currency": "USD", "rows": 1, "amount": "-49.00"},
        {"object": "transactions", "reason": None, "currency": "", "rows": 2, "amount": ""},
    )
    moving = first_page(by_hand.discovery(money=(row,), money_aside=aside)).moving
    assert moving[-1].startswith("Not in these sums yet: 1 row of transactions, ")
    assert "49.00 USD (The refund fits more than one sale); 2 rows of transactions that cannot be read." in moving[-1]


def test_companies_private_persons_and_contacts_of_nobody_are_told() -> None:
    found = by_hand.discovery(predicted={"organizations": {"created": 10}}, private=7, ownerless=4)
    for text in (unescape(as_html(found)), as_markdown(found)):
        assert "3 organizations are companies, 7 are private persons" in text
        assert "Who looks after the 4 contacts who name no team member" in text


def test_nothing_that_only_a_default_decided_is_told_as_decided() -> None:
    for text in (as_html(BASE), as_markdown(BASE)):
        assert "as decided" not in text
        assert "as you decided" not in text
        assert "Failed payments are left out, unless you decide otherwise." in text
    left = {"bucket": "excluded", "reason": "left_out_stale", "object": "contacts", "rows": 5}
    assert "as decided" in as_markdown(by_hand.discovery(left_out=(left,))), "that one the client did decide"


def test_who_signed_the_pause_switches_on_again() -> None:
    signed = by_hand.discovery(automations_signed={"by": "Ana", "at": "2026-11-20T10:00+00:00"})
    assert yours(signed)["Switch the automations in Other on again after the load"][0] == "Ana signed for the pause on 20 Nov 2026."
    assert "switch them on again" in yours(BASE)["Pause the automations in Other, and sign for it"][0]


def test_the_first_page_says_when_the_old_system_may_be_closed_and_promises_no_way_back() -> None:
    page = first_page(BASE)
    assert page.closing.startswith("Not before the last changes were loaded and checked.")
    assert "stay in One" in page.closing
    assert "not taken back by itself" in page.closing


MAIL = {"people": 2547, "agreed": 665, "refused": 535, "unproven": 1333, "unusable": 14}


def test_how_many_people_may_be_mailed_stands_on_top_and_its_question_is_important() -> None:
    proof = {**by_hand.decision("proof", default="dated"), "question": "What proves it?", "options": {"dated": "A date."}}
    page = first_page(by_hand.discovery(mailing={**MAIL, "kept": True, "decisions": ["proof"]}, decisions=(proof,)))
    assert ("665", "of 2,547 people you may mail") in page.tiles
    assert page.decide[0].what.startswith("Important: who may be mailed")
    for part in ("you may mail 665", "535 said no", "1,333 have no consent", "14 have no usable", "What proves it?", "A date."):
        assert part in page.decide[0].more


def test_a_destination_that_knows_no_consent_is_warned_of() -> None:
    page = first_page(by_hand.discovery(mailing={**MAIL, "kept": False, "decisions": []}, decisions=()))
    assert "Other only holds back those who said no (535); it would mail the other 1,333 as well." in page.decide[0].more
    assert not first_page(BASE).tiles[0][1].startswith("of ")


def test_the_first_step_says_yellow_and_a_day_to_send_back() -> None:
    page = first_page(BASE)
    assert "answer what is yellow" in page.start
    assert re.search(r"[Ss]end it back by \d+ Nov 2026", page.start)
    assert re.search(r"send it back by \d+ Nov 2026$", next(what for what in yours(BASE) if what.startswith("Fill in")))


def test_values_that_merging_loses_are_named() -> None:
    found = by_hand.discovery(merged={"values": 478, "records": 52})
    assert "478 values of merged contacts" in [line.what for line in first_page(found).lost]


def test_the_first_page_has_no_words_of_engineers() -> None:
    found = by_hand.discovery(broken=BROKEN, clean=(CONTACTS,), owners=MISSING, inspection=seated(seats=3, users=3))
    first = as_markdown(found).split("# Details")[0]
    assert not re.findall(r"\b(?:tokens?|requests?|API|webhooks?|utf-8\S*|keys?|rebills?|MRR|by rule)\b", first)


def test_what_the_first_page_cuts_stands_in_full_where_its_link_leads() -> None:
    gaps = tuple({"what": f"thing {n}", "why": f"Why {n}.", "instead": "-"} for n in range(12))
    html = as_html(by_hand.discovery(gaps=gaps))
    assert 'href="#all-lost"' in html
    whole = html.partition('id="all-lost"')[2].partition("</ul>")[0]
    assert [n for n in range(12) if f"Why {n}." in whole] == list(range(12))


def test_an_ampersand_stays_one_and_a_single_thing_is_singular() -> None:
    found = by_hand.discovery(columns=(by_hand.column("R&R Plan", examples=("X&X Xxxx", "&lt;")),))
    assert "R&R Plan" in as_markdown(found)
    assert "X&X Xxxx, &amp;lt;" in as_markdown(found)
    assert "R&amp;R Plan" in as_html(found)
    assert "&amp;amp;" not in as_html(by_hand.discovery(columns=(by_hand.column("R&R"),)))
    assert [counted(1, name) for name in ("contacts", "people", "activities")] == ["1 contact", "1 person", "1 activity"]
