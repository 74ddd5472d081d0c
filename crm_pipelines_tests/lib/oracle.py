"""What the rules of the mapping language must give, in plain Python, one row at a time.

Belongs here: a second way to every answer, sharing no code with crm_pipelines.spec. Not here: expected values (language/tables.md).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

ORACLE: dict[str, Callable[..., Any]] = {}
REGIONS = {
    "gb": "GB",
    "united kingdom": "GB",
    "u.k.": "GB",
    "france": "FR",
    "usa": "US",
    "us": "US",
    "united states": "US",
    "au": "AU",
    "australia": "AU",
    "fr": "FR",
}


def says(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register the oracle of a rule."""
    ORACLE[function.__name__] = function
    return function


def trimmed(cell: Any) -> str | None:
    """Return a cell as text without outer spaces; None when nothing is left."""
    if cell is None:
        return None
    return str(cell).strip() or None


@says
def text(cell: Any, max: int | None = None, empty: tuple[str, ...] = ()) -> str | None:
    value = trimmed(cell)
    return None if value is None or value in empty else trimmed(value[:max])


@says
def join(*cells: Any, separator: str = " ") -> str | None:
    return separator.join(value for cell in cells if (value := trimmed(cell))) or None


@says
def first_filled(*cells: Any) -> str | None:
    return next((value for cell in cells if (value := trimmed(cell))), None)


@says
def number(cell: float | None, empty: tuple[float, ...] = ()) -> float | None:
    return None if cell is None or cell in empty else float(cell)


@says
def yes_no(cell: bool | None) -> bool | None:
    return cell


@says
def labels(cells: list[str] | None, prefix: str = "") -> list[str] | None:
    found: list[str] = []
    for cell in cells or []:
        value = trimmed(cell)
        if value and prefix + value not in found:
            found.append(prefix + value)
    return found or None


@says
def list_of_one(cell: str | None) -> list[str] | None:
    value = trimmed(cell)
    return [value] if value else None


@says
def join_list(cells: list[str] | None, separator: str = ", ") -> str | None:
    return separator.join(value for cell in cells or [] if (value := trimmed(cell))) or None


@says
def html_note(cell: str | None) -> str | None:
    value = trimmed(cell)
    if value is None or re.search("<[a-zA-Z/][^<>]*>", value):
        return value
    return "<br>".join(html.escape(line) for line in re.split("\r\n|\r|\n", value))


@says
def html_paragraph(cell: str | None) -> str | None:
    value = trimmed(cell)
    if value is None or re.search("<[a-zA-Z/][^<>]*>", value):
        return value
    lines = [html.escape(line, quote=False).replace("\u00a0", "&nbsp;") for line in re.split("\r\n|\r|\n", value)]
    return f"<p>{'<br>'.join(lines)}</p>"


@says
def one_line(cell: str | None) -> str | None:
    """Cut at line breaks and doubled commas; what is left of them is joined again."""
    lines = [" ".join(line.split()) for line in re.split("[\r\n]+", trimmed(cell) or "")]
    found = ", ".join(lines)
    while (fewer := re.sub(" ?, ?, ?", ", ", found)) != found:
        found = fewer
    return found.strip() or None


@says
def country_code(cell: str | None) -> str | None:
    return REGIONS.get(" ".join((cell or "").split()).lower())


@says
def web_address(cell: str | None) -> str | None:
    """Take the address apart as RFC 3986 does, a scheme put before an address without one, and put it together again."""
    rest = trimmed(cell)
    if rest is None:
        return None
    scheme, colon, after = rest.partition(":")
    if colon and scheme and all(c.isascii() and (c.isalnum() or c in "+,-.") for c in scheme) and not (after.isdigit() and after):
        return rest
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    host = rest.removeprefix("//")
    found = f"http://{host}" if host else "http:"
    return found + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


@says
def full_name(*cells: str | None) -> str | None:
    return " ".join(word for cell in cells for word in (cell or "").split()) or None


@says
def mailbox(cell: str | None) -> str | None:
    """Mirror `email_normalize` of Odoo: a local part with letters beyond ASCII keeps its case."""
    if not (cell or "").strip():
        return None
    local, _, domain = str(cell).strip().rpartition("@")
    return f"{local if any(ord(char) > 127 for char in local) else local.lower()}@{domain.lower()}"


@says
def email(cell: str | None) -> str | None:
    value = trimmed(cell) or ""
    if (shown := re.fullmatch(r"(?s).*<([^<>]*)>.*", value)) is not None:
        value = shown[1].strip()
    if value.lower().startswith("mailto:"):
        value = value[7:].strip()
    local, at, domain = value.partition("@")
    labels = domain.lower().split(".")
    forbidden = set(' \t\r\n,;:<>()[]"\\@')
    good = at and local and len(labels) > 1 and all(labels) and not set(local + domain) & forbidden and not any(c.isspace() for c in value)
    good = good and len(labels[-1]) > 1 and not domain.startswith("-") and all(local.split("."))
    return f"{local}@{domain.lower()}" if good else None


@says
def phone(cell: str | None, code: str | None, country: str | None) -> str | None:
    written = (trimmed(cell) or "").lower().removeprefix("tel:")
    numbers = [piece for piece in re.split(r"[/;,|&\n]|\bor\b|\band\b", written) if sum(c.isdigit() for c in piece) > 5]
    if not written or len(numbers) > 1 or re.fullmatch(r"\d[.,]\d+e\+?\d+", written):
        return None
    bare = written.replace("(", "", 1) if written.startswith("(00") else written
    if bare.startswith("00"):
        written = "+" + bare[2:].replace(")", "", 1)
    region = None
    if not written.startswith("+"):
        digits = "".join(c for c in code or "" if c.isdigit()).lstrip("0")
        known = {"44": "GB", "1": "US", "33": "FR", "61": "AU"}.get(digits)
        region = known or REGIONS.get((code or "").lower()) or REGIONS.get((country or "").strip().lower())
        if region is None:
            return None
    try:
        parsed = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    zeros = "0" * (parsed.number_of_leading_zeros or 1) if parsed.italian_leading_zero else ""
    extension = f" x{parsed.extension}" if parsed.extension else ""
    return f"+{parsed.country_code}{zeros}{parsed.national_number}{extension}"


@says
def address(*cells: str | None, parts: list[str]) -> dict[str, str] | None:
    lines = [trimmed(" ".join((cell or "").splitlines())) for cell in cells]
    found = {part: line for part, line in zip(parts, lines, strict=True) if line and part != "value"}
    joined = ", ".join(line for line in lines if line)
    return {"value": joined, **found} if joined else None


def meaning(cell: Any, words: Mapping[str, Any]) -> str | None:
    """Return the word that a cell stands for."""
    spoken = " ".join(str(cell).split()).lower()
    for word, forms in words.items():
        if spoken in [" ".join(form.split()).lower() for form in (word, *forms)]:
            return word
    return None


@says
def option(cell: Any, words: Mapping[str, Any]) -> str | None:
    return None if trimmed(cell) is None else meaning(cell, words)


@says
def options(cells: list[str] | None, words: Mapping[str, Any]) -> list[str] | None:
    found = [meaning(cell, words) for cell in cells or [] if trimmed(cell)]
    if not found or None in found:
        return None
    return list(dict.fromkeys(word for word in found if word))


@says
def split_options(cell: str | None, words: Mapping[str, Any], separators: tuple[str, ...] = (",", "|")) -> list[str] | None:
    """Try the whole rest first, then ever shorter beginnings that end before a separator."""
    rest, found = trimmed(cell) or "", []
    while rest.strip():
        ends = [place for place, letter in enumerate(rest) if letter in separators]
        for end in [len(rest), *reversed(ends)]:
            if (word := meaning(rest[:end], words)) is not None:
                found.append(word)
                rest = rest[end + 1 :]
                break
        else:
            if ends and not rest[: ends[0]].strip():
                rest = rest[ends[0] + 1 :]
            else:
                return None
    return list(dict.fromkeys(found)) or None


@says
def date(day: date | None) -> date | None:  # noqa: F811  (the rule's name)
    return day


@says
def date_to_utc(day: date | None) -> datetime | None:  # type: ignore[valid-type]
    return datetime.fromisoformat(f"{day}T00:00:00+00:00") if day else None


@says
def utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None


@says
def local_date(moment: datetime | None, zone: str) -> Any:
    return moment.astimezone(ZoneInfo(zone)).date() if moment else None


@says
def utc_date(moment: datetime | None) -> Any:
    return moment.astimezone(UTC).date() if moment else None


@says
def utc_time(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%H:%M:%S}" if moment else None


@says
def duration(start: datetime | None, end: datetime | None) -> str | None:
    if start is None or end is None or not timedelta(0) <= end - start < timedelta(days=1):
        return None
    return f"{datetime(2000, 1, 1, tzinfo=UTC) + (end - start):%H:%M:%S}"


CURRENCIES = {"USD": ("us$", "$", "usd"), "EUR": ("euros", "eur", "€")}


@says
def read_number(cell: str | None, locale: str | None = None, currency: str | None = None) -> float | None:
    bare, minus = _bare_amount((trimmed(cell) or "").lower(), currency)
    readings = set()
    for name, thousands, point in (("us", ",", "."), ("eu", ".", ",")):
        whole, found, rest = bare.partition(point)
        marks = {mark for mark in f"{thousands} '" if mark in whole}
        groups = whole.split(marks.pop()) if len(marks) == 1 else [whole]
        is_grouped = len(groups) == 1 or (
            not groups[0].startswith("0") and {len(each) for each in groups[1:]} == {3} and len(groups[0]) < 4
        )
        is_whole = all(group.isdigit() for group in groups) and len("".join(groups)) < 16
        if locale in (None, name) and is_grouped and is_whole and (rest.isdigit() if found else True):
            readings.add(float(f"{''.join(groups)}.{rest or 0}"))
    return minus * readings.pop() if len(readings) == 1 else None


def _bare_amount(value: str, currency: str | None) -> tuple[str, int]:
    """Return the digits and marks of an amount, and its sign: what is not one becomes a text that no number is."""
    bracketed = value.startswith("(") and value.endswith(")")
    bare = value[1:-1] if bracketed else value
    signs = [bare[0]] if bare[:1] in ("-", "+") else []
    bare = bare[len(signs) :].strip()
    for word in CURRENCIES.get(currency or "", ()):
        bare = bare.removeprefix(word).removesuffix(word).strip()
    signs += [bare[0]] if bare[:1] in ("-", "+") else []
    bare = bare[1:].strip() if bare[:1] in ("-", "+") else bare
    bare = bare.removesuffix("%").strip().removesuffix(",--")
    return (bare if len(signs) + bracketed <= 1 else "two signs"), -1 if bracketed or "-" in signs else 1


@says
def read_date(cell: str | None, order: str | None = None, pivot: int | None = None) -> Any:
    value = trimmed(cell)
    clock = _clock(value)
    return None if value is None or (_has_clock(value) and clock is None) else _day(value[: clock[0]] if clock else value, order, pivot)


@says
def read_moment(cell: str | None, zone: str, order: str | None = None, pivot: int | None = None) -> datetime | None:
    value = trimmed(cell)
    day = read_date(value, order, pivot)
    if value is None or day is None:
        return None
    _, hour, minute, second, offset = _clock(value) or (0, 0, 0, 0, None)
    local = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=ZoneInfo(zone))
    return (local if offset is None else local.replace(tzinfo=UTC) - offset).astimezone(UTC)


def _has_clock(value: str) -> bool:
    return ":" in value


def _clock(value: str | None) -> tuple[int, int, int, int, timedelta | None] | None:
    """Return where the time begins, hour, minute, second, and its offset."""
    found = re.search(r"(?:T| um | )(\d+):(\d+)(?::(\d+))?(?: ?([ap])m)?(?: Uhr)?(Z|[+-]\d\d:\d\d)?$", value or "", re.IGNORECASE)
    if found is None or int(found[1]) > 23:
        return None
    hour = int(found[1]) % 12 + 12 * (found[4].lower() == "p") if found[4] else int(found[1])
    sign = -1 if (found[5] or "").startswith("-") else 1
    offset = timedelta() if found[5] == "Z" else None
    if found[5] not in (None, "Z"):
        offset = sign * timedelta(hours=int(found[5][1:3]), minutes=int(found[5][4:]))
    return found.start(), hour, int(found[2]), int(found[3] or 0), offset


ENGLISH_MONTHS = {"februar": "february", "dez": "december", "marzo": "march", "août": "august", "mai": "may"}


def _day(text: str, order: str | None, pivot: int | None) -> Any:
    words = re.sub(r"^sun, |(?<=\d)rd\b|\bde ", "", text.lower()).replace("-", " " if re.search("[a-z]", text.lower()) else "-")
    if re.search("[^\\W\\d]", words):
        words = words.replace(".", "")
    plain = " ".join(ENGLISH_MONTHS.get(word, word) for word in re.sub(r"\. (?=\d)", ".", words).split())
    if short := re.fullmatch(r"(\d+[./]\d+[./])(\d\d)", plain):
        plain = f"{short[1]}{19 if int(short[2]) >= pivot else 20}{short[2]}" if pivot is not None else "two digits"
    readings = {
        datetime.strptime(plain, form).date()  # noqa: DTZ007  (a day has no zone)
        for form in _forms(order)
        if _reads(plain, form)
    }
    return readings.pop() if len(readings) == 1 and min(readings).year > 999 else None


def _forms(order: str | None) -> tuple[str, ...]:
    marked = {"dmy": ("%d/%m/%Y", "%d-%m-%Y"), "mdy": ("%m/%d/%Y", "%m-%d-%Y")}
    dotted = "%m.%d.%Y" if order == "mdy" else "%d.%m.%Y"
    ways = marked.get(str(order), (*marked["dmy"], *marked["mdy"]))
    return ("%Y-%m-%d", "%Y%m%d", dotted, "%d %B %Y", "%d %b %Y", "%B %d, %Y", *ways)


def _reads(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007  (a day has no zone)
    except ValueError:
        return False
    return True


@says
def read_yes_no(cell: str | None) -> bool | None:
    word = (trimmed(cell) or "").lower()
    if word in ("yes", "1", "x", "ja", "j", "sí", "oui", "t", "checked"):
        return True
    return False if word in ("no", "0", "n", "f", "unchecked") else None


@says
def currency_code(cell: str | None) -> str | None:
    return {code.lower(): code for code in ("USD", "EUR", "GBP", "JPY", "HRK")}.get((trimmed(cell) or "").lower())


@says
def split(cell: str | None) -> list[str] | None:
    return list(dict.fromkeys(value for piece in re.split(r"[,;|\n]", cell or "") if (value := trimmed(piece)))) or None
