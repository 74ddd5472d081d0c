"""A contact list with planted twins and its truth: who is one person, who only looks like it.

Belongs here: how often each thing happens, and why that often. Not here: words (twins_names), what is done to a twin's name
(twins_slips), measuring (twins). Written before, and without reading, the rules it judges.

Rates are shares of the rows they speak of. They were chosen to be hard rather than typical where no source was at hand.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks import twins_names as words
from benchmarks.twins_slips import KINDS, Name, deface

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

TWINS = 0.10  # of rows. CRM vendors speak of 10 to 30 % duplicates; most of those share an e-mail address and are merged elsewhere
TWICE_COPIED = 0.05  # of twins: a third record of the same person
LANGUAGE_SHARES = {"en": 0.35, "de": 0.25, "es": 0.20, "fr": 0.20}
GIVEN_OFFSET = 15  # share of the r-th name ~ 1 / (r + 15): the first bears 2.5 %, as Antonio or James do among all adults
RARE_GIVEN = 0.06  # given names off the list, each borne by few and half a letter from a common one (Kathrin, Catrin)
RARE_GIVEN_NAMES = 1_500
DOUBLE_GIVEN = 0.05  # Hans-Peter, María José
FAMILY_HEADS = {"en": (0.40, 18), "de": (0.30, 12), "es": (0.75, 18), "fr": (0.25, 25)}
"""Share of people whose family name is on the list, and the offset: Smith 1 to 2 %, Müller 1 %, García 3 %, Martin 0.5 % of all."""
FAMILY_TAIL = 20_000  # further names of each language; the rest of the people, nearly evenly
DOUBLE_FAMILY = {"en": 0.03, "de": 0.05, "es": 0.80, "fr": 0.05}  # Spain: everybody has two, not everybody writes both
MIDDLE = 0.08  # a middle name or initial
TITLE = 0.02
ONLY_GIVEN = 0.01  # sign-up forms ask for the first name only
HOUSEHOLD = 0.08  # people who follow another of the list into a household: family name, postal code, mostly the telephone number
ALIKE = 0.03  # of those: Jan and Jana, Karl and Carl; among real couples and siblings rarer than this
JUNIOR = 0.001  # of those: the father's or mother's name too. 1 in 5 a child, 1 in 2 of the same sex, 1 in 100 named alike
JUNIOR_MARKED = 1 / 3  # of juniors: "Jr." is written
FAMILY_FIRM = 0.05  # of those: the same company too
WITH_POSTCODE = 0.90
WITH_COMPANY = 0.50
NO_COMPANY = 0.04  # of companies: "self-employed", "n/a", "privat": a text that thousands share and that is no company
POSTCODES = {"en": 60_000, "de": 8_200, "es": 11_000, "fr": 6_300}  # ZIPs and UK postcodes; as many as each country has of the others
AT_COMPANY = 0.60  # of employees: the company's postal code instead of their own
COLLEAGUE_TAIL = 1.1  # Pareto: half of the companies have one contact in the list, the largest a thousand
LARGEST_COMPANY = 1_000
LEGAL_FORM = 0.70  # of companies have one in their name
SWITCHBOARD = 0.40  # of companies: colleagues give the same telephone number
SHARED_MAILBOX = 0.05  # of employees: info@ of the company
WITH_EMAIL, WITH_PHONE = 0.95, 0.55
NAMESAKES = 0.005  # of people: the same full name again in the same district, at another postal code and company; more happen by chance

BOTH = {"none": 0.61, "no_postcode": 0.13, "no_company": 0.15, "new_company": 0.06, "moved": 0.05}
ONE = {"none": 0.94, "lost": 0.03, "moved": 0.03}
"""What a twin loses, of those with postal code and company, and with one of them. `lost` and `moved` of ONE, and `moved` beside a
placeholder for a company, leave nothing that agrees: out of reach of any rule of the form name and (postcode or company)."""
POSTCODE_REWRITTEN = 0.05  # of twins with both: lost leading zero (a spreadsheet), missing or added blank, ZIP+4
COMPANY_REWRITTEN = 0.30  # of twins with both: legal form dropped or added, other letters
TWIN_EMAIL, TWIN_PHONE_SAME, TWIN_PHONE = 0.65, 0.50, 0.65  # e-mail: always another; telephone: the same, or any


@dataclass(frozen=True)
class Planted:
    """A list and its truth."""

    people: pl.DataFrame
    """key, name, postcode, company, email_match, phone: what the search may see. One row per record, in no order."""
    truth: pl.DataFrame
    """key, person, household, firm, plain: `plain` is the name without the twin's changes."""
    twins: pl.DataFrame
    """first, second (keys), kind (of name), where (what the context lost), agrees (both, postcode, company, nothing)."""


@dataclass
class Drawn:
    """People column by column while they are drawn."""

    language: Ints
    leader: Ints
    junior: Flags
    marked: Flags
    given: Texts
    middle: Texts
    family: Texts
    second_family: Texts
    title: Texts
    postcode: Texts
    company: Ints
    written: Texts
    phone: Texts
    email: Texts


def plant(rows: int, seed: int) -> Planted:
    """Make a list of so many rows; the same seed makes the same list."""
    rng = np.random.default_rng(seed)
    twins = int(rows * TWINS)
    drawn = _people(rng, rows - twins)
    return _assembled(rng, drawn, twins)


def _people(rng: np.random.Generator, count: int) -> Drawn:
    company = _companies(rng, count)
    language = rng.choice(4, count, p=list(LANGUAGE_SHARES.values())).astype(np.int64)
    of_company = rng.choice(4, company.max() + 1, p=list(LANGUAGE_SHARES.values())).astype(np.int64)
    language = np.where((company >= 0) & _chance(rng, 0.9, count), of_company[company], language)
    leader = _households(rng, count)
    follows, namesake = leader >= 0, _namesakes(rng, leader)
    language = np.where(follows, language[leader], np.where(namesake >= 0, language[namesake], language))
    company = np.where(follows & _chance(rng, FAMILY_FIRM, count), company[leader], company)
    given, family, second = _given(rng, language), _family(rng, language), _second_family(rng, language)
    alike = np.flatnonzero(follows & _chance(rng, ALIKE, count))
    for row, pair in zip(alike, rng.choice(words.ALIKE, len(alike)), strict=True):
        given[leader[row]], given[row] = pair.split("/")
    _told_apart(given, leader)
    junior = follows & _chance(rng, JUNIOR, count)
    given = np.where(junior, given[leader], np.where(namesake >= 0, given[namesake], given))
    same = np.where(follows, leader, namesake)
    family, second = (np.where(same >= 0, column[same], column) for column in (family, second))
    postcode = _postcodes(rng, (language, company, leader, namesake), of_company)
    phone, email = _phones(rng, company, leader), _emails(rng, given, family, company)
    marked = junior & _chance(rng, JUNIOR_MARKED, count)
    middle, title = _middle(rng, given, count), _titles(rng, language)
    written = _written_companies(rng, company, language, of_company)
    return Drawn(language, leader, junior, marked, given, middle, family, second, title, postcode, company, written, phone, email)


def _chance(rng: np.random.Generator, share: float, count: int) -> Flags:
    return rng.random(count) < share


def _companies(rng: np.random.Generator, count: int) -> Ints:
    """Number a company for each row, -1 for none; sizes by Pareto."""
    employed = int(count * WITH_COMPANY)
    sizes = np.minimum(rng.pareto(COLLEAGUE_TAIL, employed) + 1, LARGEST_COMPANY).astype(np.int64)
    number = np.repeat(np.arange(employed), sizes)[:employed]
    return np.asarray(rng.permutation(np.concatenate([number, np.full(count - employed, -1)])))


def _households(rng: np.random.Generator, count: int) -> Ints:
    """Number the row that each row follows into a household, -1 for none."""
    order, following = rng.permutation(count), int(count * HOUSEHOLD)
    leader = np.full(count, -1)
    heads = order[following : following + int(following * 0.8)]  # some follow the same: households of three and four
    leader[order[:following]] = rng.choice(heads, following)
    return leader


def _told_apart(given: Texts, leader: Ints) -> None:
    """Rename who has a name that the household has already: families do not give one twice by chance, that is JUNIOR's to say."""
    taken: set[tuple[int, str]] = {(row, given[row]) for row in set(leader[leader >= 0].tolist())}
    for row in np.flatnonzero(leader >= 0).tolist():
        donor = row
        while (leader[row], given[donor]) in taken:
            donor = (donor + 1) % len(given)
        given[row] = given[donor]
        taken.add((leader[row], given[row]))


def _namesakes(rng: np.random.Generator, leader: Ints) -> Ints:
    free = rng.permutation(np.flatnonzero(leader < 0))
    wanted = int(len(leader) * NAMESAKES)
    of = np.full(len(leader), -1)
    of[free[:wanted]] = free[wanted : 2 * wanted]
    return of


def _by_language(language: Ints, make: dict[str, Texts]) -> Texts:
    out = np.empty(len(language), dtype=object)
    for number, name in enumerate(words.LANGUAGES):
        out[language == number] = make[name]
    return out


def _falling(rng: np.random.Generator, things: int, offset: float, count: int) -> Ints:
    """Draw numbers of things, the r-th with 1 / (r + offset)."""
    weights = 1 / (np.arange(things) + offset + 1)
    return np.asarray(rng.choice(things, count, p=weights / weights.sum()))


def _given(rng: np.random.Generator, language: Ints) -> Texts:
    made = {}
    for number, name in enumerate(words.LANGUAGES):
        heads = np.array(words.GIVEN[name], dtype=object)
        count = int((language == number).sum())
        drawn = heads[_falling(rng, len(heads), GIVEN_OFFSET, count)]
        tail = np.array([_varied(rng, heads[i]) for i in rng.integers(0, len(heads), RARE_GIVEN_NAMES)], dtype=object)
        drawn = np.where(_chance(rng, RARE_GIVEN, count), rng.choice(tail, count), drawn)
        joint = " " if name == "es" else "-"
        second = heads[_falling(rng, len(heads), GIVEN_OFFSET, count)]
        made[name] = np.where(_chance(rng, DOUBLE_GIVEN, count), drawn + joint + second, drawn)
    return _by_language(language, made)


RESPELT = (
    {"k": "c", "c": "k", "i": "y", "y": "i", "th": "t", "t": "th", "ph": "f", "f": "ph", "n": "nn", "nn": "n", "l": "ll", "s": "z"}
    | {"a": "e", "e": "a", "ie": "y", "ei": "ai", "ü": "ue", "tt": "t", "m": "mm", "r": "rr"}
)  # fmt: skip


def _varied(rng: np.random.Generator, name: str) -> str:
    """Respell a name as parents and registrars do: still a name of its own."""
    able = [(old, new) for old, new in RESPELT.items() if old in name.lower()[1:]]
    ends = ["a", "o", "e", "ina", "ette", "el", "y", "is"]
    if able and rng.random() < 0.6:
        old, new = able[rng.integers(len(able))]
        return name[0] + name[1:].replace(old, new, 1)
    return name.rstrip("aeioy") + ends[rng.integers(len(ends))]


def _family(rng: np.random.Generator, language: Ints) -> Texts:
    made = {}
    for number, name in enumerate(words.LANGUAGES):
        heads = np.array(words.FAMILY[name], dtype=object)
        share, offset = FAMILY_HEADS[name]
        count, tail = int((language == number).sum()), _tail(rng, name, heads)
        common = heads[_falling(rng, len(heads), offset, count)]
        made[name] = np.where(_chance(rng, share, count), common, tail[_falling(rng, len(tail), 2_000, count)])
    return _by_language(language, made)


def _tail(rng: np.random.Generator, name: str, heads: Texts) -> Texts:
    """Make the many rare family names: of syllables, and one in ten a respelling of a common one (Schmid, Meyr)."""
    starts, ends = words.FAMILY_STARTS[name], words.FAMILY_ENDS[name]
    whole = [start + end for start in starts for end in ends]
    whole += [f"{start}{middle}{end}" for start in starts[::3] for middle in ("en", "el", "er", "is") for end in ends]
    picked = rng.permutation(np.array(sorted(set(whole)), dtype=object))[:FAMILY_TAIL]
    respelt = [_varied(rng, heads[i]) for i in rng.integers(0, len(heads), len(picked) // 10)]
    return np.asarray(rng.permutation(np.concatenate([picked, np.array(respelt, dtype=object)])))


def _second_family(rng: np.random.Generator, language: Ints) -> Texts:
    shares = np.array([DOUBLE_FAMILY[name] for name in words.LANGUAGES])[language]
    return np.where(rng.random(len(language)) < shares, _family(rng, language), None)


def _middle(rng: np.random.Generator, given: Texts, count: int) -> Texts:
    other = given[rng.permutation(count)]
    short = np.array([f"{name[0]}." for name in other], dtype=object)
    return np.where(_chance(rng, MIDDLE, count), np.where(_chance(rng, 0.6, count), short, other), None)


def _titles(rng: np.random.Generator, language: Ints) -> Texts:
    drawn = {name: rng.choice(words.TITLES[name], int((language == n).sum())).astype(object) for n, name in enumerate(words.LANGUAGES)}
    return np.where(_chance(rng, TITLE, len(language)), _by_language(language, drawn), None)


def _pool(rng: np.random.Generator, name: str) -> Texts:
    """Make the postal codes of a language, in order, so that neighbours in the list are neighbours."""
    count = POSTCODES[name]
    if name != "en":
        first = {"de": 1_067, "es": 1_001, "fr": 1_000}[name]
        last = {"de": 99_998, "es": 52_006, "fr": 95_999}[name]
        return np.array([f"{code:05d}" for code in np.linspace(first, last, count).astype(int)], dtype=object)
    zips = [f"{code:05d}" for code in np.linspace(1_001, 99_950, count // 2).astype(int)]
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    towns = [a + b for a in "BCDEGHLMNPSTWY" for b in letters]
    made = {f"{t}{rng.integers(1, 30)} {rng.integers(10)}{letters[rng.integers(20)]}{letters[rng.integers(20)]}" for t in towns * 120}
    return np.array(zips + sorted(made)[: count // 2], dtype=object)


def _postcodes(rng: np.random.Generator, people: tuple[Ints, Ints, Ints, Ints], of_company: Ints) -> Texts:
    """Draw postal codes: cities are large (log-normal), employees give the company's, households share, namesakes are near."""
    language, company, leader, namesake = people
    pools = [_pool(rng, name) for name in words.LANGUAGES]
    weights = [np.cumsum(rng.lognormal(0, 1.2, len(pool))) for pool in pools]

    def draw(languages: Ints) -> Ints:
        place = rng.random(len(languages))
        out = np.zeros(len(languages), dtype=np.int64)
        for number in range(4):
            chosen = languages == number
            out[chosen] = np.searchsorted(weights[number], place[chosen] * weights[number][-1])
        return out

    place, office = draw(language), draw(of_company)
    at_office = (company >= 0) & _chance(rng, AT_COMPANY, len(language)) & (of_company[company] == language)
    place = np.where(at_office, office[company], place)
    place = np.where(leader >= 0, place[leader], np.where(namesake >= 0, place[namesake] + 1, place))
    sizes = np.array([len(pool) for pool in pools])[language]
    flat, starts = np.concatenate(pools), np.cumsum([0, *map(len, pools)])[:4]
    known = _chance(rng, WITH_POSTCODE, len(language))
    known = np.where(leader >= 0, known[leader] & _chance(rng, 0.95, len(known)), known)
    return np.where(known, flat[starts[language] + place % sizes], None)


def _written_companies(rng: np.random.Generator, company: Ints, language: Ints, of_company: Ints) -> Texts:
    """Write each row's company the way that person would: mostly as it is, else without legal form, or in other letters."""
    count = int(company.max()) + 1
    dice, names = random.Random(int(rng.integers(2**32))), [words.LANGUAGES[lang] for lang in of_company]
    bare = np.array([_company(dice, name) for name in names], dtype=object)
    legal = np.array([dice.choice(words.LEGAL[name]) if dice.random() < LEGAL_FORM else "" for name in names], dtype=object)
    empty = np.array([dice.choice(words.NO_COMPANY[name]) for name in names], dtype=object)
    is_none = _chance(rng, NO_COMPANY, count)
    full = np.array([f"{name} {form}".strip() for name, form in zip(bare, legal, strict=True)], dtype=object)
    written, way = full[company], rng.random(len(company))
    written = np.where(way < 0.20, bare[company], written)
    written = np.array([_lettered(text, one) for text, one in zip(written, way, strict=True)], dtype=object)
    return np.where(company < 0, None, np.where(is_none[company], empty[company], written))


def _lettered(text: str, way: float) -> str:
    return text.upper() if 0.20 < way < 0.23 else text.lower() if 0.23 < way < 0.26 else text


def _company(dice: random.Random, name: str) -> str:
    """Name a company after its owner, its place, nothing at all, or letters; two may well have the same name."""
    kind, pick = dice.random(), dice.choice
    heads, trade = words.FAMILY[name], pick(words.TRADES[name])
    owner = pick(heads) if kind < 0.25 else pick(words.FAMILY_STARTS[name]) + pick(words.FAMILY_ENDS[name])
    made = pick(words.COMPANY_STARTS) + pick(words.COMPANY_ENDS)
    if kind < 0.45:
        return f"{owner} {trade}" if kind < 0.35 else f"{trade} {owner}"
    if kind < 0.55:
        return f"{trade} {pick(words.PLACES[name])}"
    if kind < 0.62:
        return f"{owner} & {pick(heads)}"
    if kind < 0.70:
        return "".join(pick("ABCDEFGHIKLMNOPRSTVWZ") for _ in range(3)) + f" {trade}"
    return made if kind < 0.85 else f"{made} {trade}"


def _phones(rng: np.random.Generator, company: Ints, leader: Ints) -> Texts:
    """Number telephones: nobody's can be dialled (country code 999); households and many colleagues share one."""
    line = np.arange(len(company)) + int(company.max()) + 1
    board = _chance(rng, SWITCHBOARD, int(company.max()) + 1)
    line = np.where((company >= 0) & board[company], company, line)
    line = np.where((leader >= 0) & _chance(rng, 0.7, len(line)), line[leader], line)
    known = _chance(rng, WITH_PHONE, len(line))
    return np.array([f"+999 {n // 10_000:04d} {n % 10_000:04d}" if k else None for n, k in zip(line, known, strict=True)], dtype=object)


def _emails(rng: np.random.Generator, given: Texts, family: Texts, company: Ints) -> Texts:
    names = pl.DataFrame({"given": given, "family": family}).select(_ascii("given"), _ascii("family"))
    local = (names["given"] + "." + names["family"]).to_numpy()
    shared, known = _chance(rng, SHARED_MAILBOX, len(local)), _chance(rng, WITH_EMAIL, len(local))
    out = np.empty(len(local), dtype=object)
    for row, (name, firm) in enumerate(zip(local, company, strict=True)):
        if known[row]:
            out[row] = f"info@c{firm}.example.com" if firm >= 0 and shared[row] else f"{name}{row}@example.com"
    return out


def _ascii(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.normalize("NFKD").str.replace_all("[^a-z0-9]", "")


def _assembled(rng: np.random.Generator, drawn: Drawn, twins: int) -> Planted:
    """Copy people into twins, deface them, shuffle all rows."""
    count = len(drawn.given)
    only_given = _chance(rng, ONLY_GIVEN, count) & (drawn.leader < 0)
    plain = _plain(drawn, only_given)
    columns: dict[str, list[str | None]] = {
        "name": plain.to_list(),
        "postcode": list(drawn.postcode),
        "company": list(drawn.written),
        "email_match": list(drawn.email),
        "phone": list(drawn.phone),
    }
    is_real = ~np.isin(drawn.written, [text for texts in words.NO_COMPANY.values() for text in texts]) & (drawn.company >= 0)
    has_postcode = np.array([code is not None for code in drawn.postcode])
    able = np.flatnonzero((has_postcode | is_real) & ~only_given)
    chosen = rng.permutation(able)[: int(twins * (1 - TWICE_COPIED))]
    of = np.concatenate([chosen, rng.choice(chosen, twins - len(chosen), replace=False)])
    kinds = rng.choice(list(KINDS), twins, p=np.array(list(KINDS.values())) / sum(KINDS.values()))
    told, dice = [], random.Random(int(rng.integers(2**32)))
    for row, kind in zip(of.tolist(), kinds.tolist(), strict=True):
        name, really = deface(dice, _name(drawn, row), kind, words.LANGUAGES[drawn.language[row]])
        context = _context(dice, drawn.postcode[row], drawn.written[row], is_real[row], drawn.language[row])
        _added(dice, columns, name, context, row)
        told.append((really, context.where, context.agrees))
    return _shuffled(rng, columns, drawn, of, told)


def _plain(drawn: Drawn, only_given: Flags) -> pl.Series:
    """Write all names, as twins_slips.Name does."""
    marks = np.where(drawn.marked, "Jr.", None)
    parts = {"title": drawn.title, "given": drawn.given, "middle": drawn.middle, "family": drawn.family}
    parts |= {"second": drawn.second_family, "mark": marks}
    frame = pl.DataFrame({name: part.tolist() for name, part in parts.items()}, schema=dict.fromkeys(parts, pl.String)).with_columns(
        only=pl.Series(only_given)
    )
    whole = pl.concat_str(list(parts), separator=" ", ignore_nulls=True)
    return frame.select(name=pl.when("only").then("given").otherwise(whole)).to_series()


def _name(drawn: Drawn, row: int) -> Name:
    mark = "Jr." if drawn.marked[row] else None
    return Name(drawn.given[row], drawn.middle[row], drawn.family[row], drawn.second_family[row], drawn.title[row], mark)


@dataclass(frozen=True)
class Context:
    """A twin's postal code and company, what was done to them, and what still agrees."""

    postcode: str | None
    company: str | None
    where: str
    agrees: str


def _context(dice: random.Random, postcode: str | None, company: str | None, is_real: bool, language: int) -> Context:
    rates = BOTH if postcode and is_real else ONE
    (where,) = dice.choices(list(rates), list(rates.values()))
    name, same_code, same_firm = words.LANGUAGES[language], postcode is not None, is_real
    if where in ("no_postcode", "moved") or (where == "lost" and postcode):
        postcode, same_code = (_elsewhere(dice) if where == "moved" and postcode else None), False
    if where in ("no_company", "new_company") or (rates is ONE and where != "none" and is_real):
        company, same_firm = (_company(dice, name) if where in ("new_company", "moved") else None), False
    if postcode and same_code and dice.random() < POSTCODE_REWRITTEN:
        postcode = _recoded(dice, postcode, name)
    if company and same_firm and dice.random() < COMPANY_REWRITTEN:
        company = _rewritten(dice, company, name)
    agrees = {(True, True): "both", (True, False): "postcode", (False, True): "company"}.get((same_code, same_firm), "nothing")
    return Context(postcode, company, where, agrees)


def _elsewhere(dice: random.Random) -> str:
    return f"{dice.randrange(1_000, 99_999):05d}"


def _recoded(dice: random.Random, postcode: str, name: str) -> str:
    if postcode.startswith("0") and dice.random() < 0.7:
        return postcode[1:]
    if " " in postcode:
        return postcode.replace(" ", "") if dice.random() < 0.6 else postcode.lower()
    return f"{postcode}-{dice.randrange(1_000, 9_999)}" if name == "en" else f" {postcode[:2]} {postcode[2:]}"


def _rewritten(dice: random.Random, company: str, name: str) -> str:
    form = next((form for form in sorted(words.LEGAL[name], key=len, reverse=True) if company.lower().endswith(" " + form.lower())), "")
    way = dice.random()
    if way < 0.25:
        return company.upper() if company != company.upper() else company.lower()
    if way < 0.35:
        return company.replace("&", "und" if name == "de" else "y" if name == "es" else "et" if name == "fr" else "and") + " "
    return company[: len(company) - len(form)].rstrip(" ,") if form else f"{company} {dice.choice(words.LEGAL[name])}"


def _added(dice: random.Random, columns: dict[str, list[str | None]], name: str, context: Context, row: int) -> None:
    phone, way, number = columns["phone"][row], dice.random(), len(columns["name"])
    columns["name"].append(name)
    columns["postcode"].append(context.postcode)
    columns["company"].append(context.company)
    columns["email_match"].append(f"other{number}@example.org" if dice.random() < TWIN_EMAIL else None)
    columns["phone"].append(phone if way < TWIN_PHONE_SAME else f"+999 8{number:07d}" if way < TWIN_PHONE else None)


def _shuffled(
    rng: np.random.Generator,
    columns: dict[str, list[str | None]],
    drawn: Drawn,
    of: Ints,
    told: list[tuple[str, str, str]],
) -> Planted:
    count, rows = len(drawn.given), len(columns["name"])
    order = rng.permutation(rows)
    keys = np.empty(rows, dtype=object)
    keys[order] = [f"c{place:07d}" for place in range(rows)]
    person = np.concatenate([np.arange(count), of])
    household = np.where(drawn.leader >= 0, drawn.leader, np.arange(count))[person]
    people = pl.DataFrame({"key": keys.tolist(), **columns}, schema_overrides=dict.fromkeys(("key", *columns), pl.String))
    truth = pl.DataFrame(
        {
            "key": keys.tolist(),
            "person": person,
            "household": household,
            "firm": drawn.company[person],
            "plain": pl.Series(columns["name"][:count]).str.to_lowercase().gather(person),
        },
        schema_overrides={"key": pl.String},
    )
    changed = pl.DataFrame(told, schema=["kind", "where", "agrees"], orient="row")
    twins = pl.DataFrame(
        {"first": keys[of].tolist(), "second": keys[count:].tolist()}, schema_overrides={"first": pl.String, "second": pl.String}
    )
    return Planted(people.sort("key"), truth, twins.hstack(changed))
