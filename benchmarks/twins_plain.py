"""A second, plainer list of planted twins: one change each, as the issue words them: `python -m benchmarks.twins_plain`.

Belongs here: planting the list and its figures. Not here: the harder list (twins_planted), which has nicknames, initials and namesakes too.

Written by the author of the first rules, so that it flatters them: a tenth are twins with one typing slip (or capitals, or nothing) in the
name, and the postal code or the company missing in one of the two. Households (a third of them Jan and Jana) and colleagues are no twins.
Telephone numbers and mailboxes are not given to the search, so that shared ones cannot decide.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.twins import _searched

FULL, SEED = 1_000_000, 5
SYLLABLES = (
    "ba be bi bo da de di do fa fe ga ge go ha he hi ka ke ki ko la le li lo ma me mi mo na ne ni no pa pe ra re ri ro sa se so ta te"
)
ENDS = "n r s t l ng ck tz rt nd ss"
FORMS = ("", " GmbH", " Ltd", " Inc", " SL", " SARL", " AG")
Names = "np.ndarray[tuple[int], np.dtype[np.str_]]"


def words(rng: np.random.Generator, count: int, low: int, high: int) -> Names:
    """Return so many invented words of `low` to `high` syllables."""
    found: set[str] = set()
    while len(found) < count:
        body = "".join(rng.choice(SYLLABLES.split(), size=rng.integers(low, high + 1)))
        found.add(body + (str(rng.choice(ENDS.split())) if rng.random() < 0.7 else ""))
    return np.array(sorted(found))


def heavy(rng: np.random.Generator, names: Names, count: int, power: float) -> Names:
    """Draw names of which few are common and most are rare."""
    weights = 1 / np.arange(1, len(names) + 1) ** power
    rng.shuffle(weights)
    return rng.choice(names, count, p=weights / weights.sum()).astype("U24")


def slip(rng: np.random.Generator, word: str) -> str:
    """Return the word with one letter more, less, another, or two turned round."""
    place, letter = int(rng.integers(1, max(2, len(word)))), "abcdefghijklmnopqrstuvwxyz"[rng.integers(0, 26)]
    kinds = (
        word[:place] + letter + word[place:],
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place + 1 :],
        word[: place - 1] + word[place : place + 1] + word[place - 1 : place] + word[place + 1 :],
    )
    return kinds[int(rng.integers(0, 4))]


def plant(rows: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return people (key, name, postcode, company) and truth (first, second)."""
    rng = np.random.default_rng(seed)
    base = int(rows / 1.1)
    given = words(rng, 700, 1, 3)
    first = heavy(rng, np.concatenate([given, [f"{name}a" for name in given[:150]]]), base, 0.7)
    last = heavy(rng, words(rng, 20_000, 2, 3), base, 0.6)
    postcode = np.where(rng.random(base) < 0.75, rng.choice([f"{one:05d}" for one in rng.choice(99_999, 25_000, replace=False)], base), "")
    company = _companies(rng, base, postcode == "")
    heads = 2 * rng.choice(base // 2 - 1, int(base * 0.03), replace=False)
    last[heads + 1], postcode[heads + 1] = last[heads], postcode[heads]
    alike = heads[: len(heads) // 3]
    same = heads[first[heads + 1] == first[heads]]
    first[same + 1] = np.char.add(first[same], "o")
    first[alike + 1] = np.char.add(first[alike], "a")
    twins = rows - base
    of = rng.choice(base, twins, replace=False)
    changed = _changed(rng, first[of], last[of], postcode[of], company[of])
    columns = [np.concatenate([old, new]) for old, new in zip((first, last, postcode, company), changed, strict=True)]
    keys = [str(number) for number in range(rows)]
    names = np.char.add(np.char.add(columns[0], " "), columns[1])
    people = pl.DataFrame({"key": keys, "name": names.tolist(), "postcode": columns[2].tolist(), "company": columns[3].tolist()})
    people = people.with_columns(pl.col("postcode", "company").replace("", None), phone=pl.lit(None, dtype=pl.String)).sample(
        fraction=1, shuffle=True, seed=seed
    )
    truth = pl.DataFrame({"first": [str(one) for one in of], "second": [str(base + number) for number in range(twins)]})
    return people, truth


def _companies(rng: np.random.Generator, count: int, needed: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Names:
    firms = 120_000
    stems = words(rng, 9_000, 2, 3)
    names = np.char.add(np.char.add(rng.choice(stems, firms), np.char.add(" ", rng.choice(stems, firms))), rng.choice(FORMS, firms))
    weights = 1 / np.arange(1, firms + 1) ** 0.5
    chosen = names[rng.choice(firms, count, p=weights / weights.sum())]
    return np.where((rng.random(count) < 0.7) | needed, chosen, "").astype("U64")


def _changed(rng: np.random.Generator, first: Names, last: Names, postcode: Names, company: Names) -> tuple[Names, Names, Names, Names]:
    first, last, company = first.copy(), last.copy(), company.copy()
    dice = rng.random(len(first))
    for place in np.where(dice < 0.22)[0]:
        last[place] = slip(rng, str(last[place]))
    for place in np.where((dice >= 0.22) & (dice < 0.38))[0]:
        first[place] = slip(rng, str(first[place]))
    loud = (dice >= 0.38) & (dice < 0.6)
    first[loud], last[loud] = np.char.upper(first[loud]), np.char.upper(last[loud])
    both, dropped = (postcode != "") & (company != ""), rng.random(len(first))
    postcode = np.where(both & (dropped < 0.15), "", postcode)
    company = np.where(both & (dropped >= 0.15) & (dropped < 0.3), "", company)
    written = rng.random(len(first))
    company = np.where(written < 0.2, np.char.upper(company), company).astype("U64")
    for place in np.where((written >= 0.2) & (written < 0.3))[0]:
        for form in FORMS[1:]:
            company[place] = str(company[place]).removesuffix(form)
    return first, last, postcode, company


def main(rows: int = FULL, seed: int = SEED) -> int:
    """Plant, search, and print what was found."""
    people, truth = plant(rows, seed)
    with tempfile.TemporaryDirectory(prefix="twins-") as folder:
        place = Path(folder)
        people.write_parquet(place / "people.parquet")
        costs = [_searched(place / "people.parquet", place / f"found{turn}", place / "pairs.parquet") for turn in range(3)]
        pairs = pl.read_parquet(place / "pairs.parquet")
    both_ways = pl.concat([truth, truth.select(first="second", second="first")])
    right = pairs.join(both_ways, on=["first", "second"], how="semi").height
    print(f"CPU of the search, best of 3: {min(cost['cpu_s'] for cost in costs):.2f} s (goal: 5)")
    print(f"precision: {100 * right / max(1, pairs.height):.2f} % ({right:,} of {pairs.height:,}; goal: 99.8)")
    print(f"recall: {100 * right / truth.height:.2f} % ({right:,} of {truth.height:,}; goal: 95)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
