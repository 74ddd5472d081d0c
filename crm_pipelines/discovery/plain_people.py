"""People in plain words and numbers, so that likely duplicates are looked for cheaply.

Belongs here: letters without accents, titles and marks taken off names, companies without legal form, telephone numbers and postal codes
in one form; every word and every group (place, company, number) as a number. Not here: who may be one person (duplicates.sql).
"""

from __future__ import annotations

import unicodedata
from importlib import resources
from pathlib import Path

import polars as pl

PEOPLE_SCHEMA = {"key": pl.String, "name": pl.String, "postcode": pl.String, "company": pl.String, "phone": pl.String}
CROWD = 5_000
"""People at one postal code or company from which it is a placeholder ("private"), and says nothing."""
NUMBER_DIGITS = 9
"""Last digits that two writings of a telephone number share: +44 20 7946 0123 and 020 7946 0123. National numbers have nine or more
in North America, France, Spain, the United Kingdom and, but for old ones, in Germany."""
LEAST_DIGITS = 7
"""Fewer are an extension or a code."""
LEGAL_FORMS = (
    "gmbh|ug|ag|kg|ohg|ek|e k|mbh|co|haftungsbeschrankt|ltd|limited|inc|llc|llp|corp|plc|pty|s l u|slu|s l|sl|s a|sa|s coop|c b|"
    "s a r l|sarl|sasu|sas|eurl|b v|bv|n v|nv|spa|srl|oy|ab"
)
"""As they stand at a company's end, in plain letters without dots."""
TITLES = "dr|prof|med|dipl|ing|mag|mr|mrs|ms|miss|rev|sir|herr|frau|sr|sra|srta|don|dona|dna|d|dra|m|mme|mlle|me|pr"
"""As they stand before a name, in plain letters without dots."""
MARKS = "jr|sr|jun|sen|junior|senior|ii|iii|iv"
"""As they stand behind the names of two generations."""
ACCENTS = {
    letter: base[0]
    for letter in map(chr, range(0x00DF, 0x0250))
    if len(base := unicodedata.normalize("NFD", letter)) > 1 and base[0].isascii() and base[0].isalpha()
}
MARKS_OF_THEIR_OWN = {chr(mark): "" for mark in range(0x0300, 0x0330)}
"""Accents of texts that hold a letter and its accent as two characters."""
LETTERS = {**ACCENTS, **MARKS_OF_THEIR_OWN, "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "\u00a0": " "}
SOUNDS = {**LETTERS, "ß": "s", "ss": "s", "æ": "a", "œ": "o", "ae": "a", "oe": "o", "ue": "u"}
"""Ways to write one letter, and what it is compared as: ü is u, whichever way it was written."""
IN_NAMES = {**SOUNDS, ".-": " ", ". ": " ", ".": " ", "-": "", "'": "", "’": ""}
COMMON = {old: new for old, new in IN_NAMES.items() if old.isascii() or old in "äöüßáàâçéèêëíîïñóôúû"}
"""What nearly all names are done with; looking for all of IN_NAMES in a million costs more than looking for these."""
IN_COMPANIES = {**LETTERS, **dict.fromkeys(".,()-+/&", " ")}
IN_NUMBERS = dict.fromkeys(" -().+/\u00a0", "")
AND = r" (?:and|und|et|y) "


SWITCHBOARD = 50
"""People at one telephone number from which it is a switchboard of a size that says nothing a company's name would not."""
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
SAME_MARK = {"jun": "jr", "junior": "jr", "sen": "sr", "senior": "sr"}
ODD = rf"[^\x00-\x7f]|,|  |^ | $|\t|^(?:{TITLES}) | (?:{MARKS})$"
"""Names that need more than other letters."""


def write_plain(people: Path, folder: Path) -> None:
    """Write the people of a parquet file with the columns of PEOPLE_SCHEMA as numbers, for duplicates.sql.

    Shape: plain.parquet: w (words of the name), mark, z, c, p (place, company, telephone number; null where it says nothing), in the order
    of the people. words.parquet: id, word, letters (a bit for each), n (people). short.parquet: one, other: words that are one first name,
    short or long, both ways. places, firms, lines.parquet: z, c, p with how many share it.
    """
    frame = pl.read_parquet(people, columns=["name", "postcode", "company", "phone"])
    name, mark = _plain_names(frame["name"])
    w = name.str.split(" ").cast(pl.List(pl.Categorical)).alias("w")
    words = _counted(w)
    _write(words, folder / "words.parquet")
    _write(_short_forms(words), folder / "short.parquet")
    groups = {"places": _places(frame["postcode"]), "firms": _companies(frame["company"]), "lines": _numbers(frame["phone"])}
    for said, (_, sizes) in groups.items():
        _write(sizes, folder / f"{said}.parquet")
    numbers = [number for number, _ in groups.values()]
    numbered = pl.DataFrame([w.list.eval(pl.element().to_physical()), mark, *numbers])
    _write(numbered.with_columns(_places_in_name()), folder / "plain.parquet")


def _places_in_name() -> list[pl.Expr]:
    w, count = pl.col("w"), pl.col("w").list.len()
    last = pl.when(count > 1).then(w.list.last())
    between = [pl.when(count > place + 1).then(w.list.get(place, null_on_oob=True)) for place in (1, 2)]
    return [w.list.first().alias("f"), last.alias("l"), between[0].alias("m"), between[1].alias("m2")]


def plain_word(word: pl.Expr) -> pl.Expr:
    """Write words of names as they are compared."""
    return word.str.to_lowercase().str.replace_many(IN_NAMES)


def _plain_names(names: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return plain names, first name first and one blank between words, and the marks behind them."""
    plain = names.str.to_lowercase().str.replace_many(COMMON, leftmost=True)
    odd = plain.str.contains(ODD).fill_null(value=False).arg_true()
    rows = pl.DataFrame({"name": plain.gather(odd).str.replace_many(IN_NAMES, leftmost=True)}).select(name=_in_order())
    rows = rows.select(name=_untitled())
    rows = rows.select(pl.col("name").str.replace(rf" (?:{MARKS})$", ""), mark=pl.col("name").str.extract(rf" ({MARKS})$"))
    marks = pl.Series("mark", [None], dtype=pl.String).new_from_index(0, len(names))
    return plain.scatter(odd, rows["name"]), marks.scatter(odd, rows["mark"].replace(SAME_MARK))


def _in_order() -> pl.Expr:
    turned = pl.col("name").str.replace(r"^([^,]*),(.*)$", "$2 $1")
    return turned.str.replace_all(r"[\s,]+", " ").str.strip_chars()


def _untitled() -> pl.Expr:
    """Take titles off; a letter that may be a title or an initial stays when it is all there is of a first name."""
    bare = pl.col("name").str.replace(rf"^(?:(?:{TITLES}) )+", "")
    is_initial = ~bare.str.contains(" ", literal=True) & pl.col("name").str.contains(r"^[a-z] \S+$")
    return pl.when(is_initial).then("name").otherwise(bare)


def _places(codes: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Number postal codes, whatever their blanks, their case, their leading zeros and the four digits behind a ZIP."""
    bare = pl.col("text").str.to_uppercase().str.replace(r"^\s*([0-9]{5})-[0-9]{4}\s*$", "$1").str.replace_many([" ", "-"], ["", ""])
    return _groups(codes, bare.str.strip_chars_start("0"), "z")


def _companies(names: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Number companies, whatever their legal form and their punctuation."""
    bare = pl.col("text").str.to_lowercase().str.replace_many(IN_COMPANIES).str.replace_all(r"\s+", " ")
    return _groups(names, bare.str.replace_all(AND, " ").str.strip_chars().str.replace(rf"(?: (?:{LEGAL_FORMS}))+$", ""), "c")


def _groups(texts: pl.Series, bare: pl.Expr, name: str) -> tuple[pl.Series, pl.DataFrame]:
    """Return for each text the number of those written alike in plain letters, null for crowds and empty texts; and how many each are."""
    rows = pl.DataFrame({"text": texts, "hash": texts.hash()})
    each = rows.group_by("hash").agg(pl.col("text").first(), size=pl.len()).drop_nulls("text")
    alike = each.select("hash", "size", same=bare).filter(pl.col("same") != "")
    alike = alike.select("hash", pl.col("same").rank("dense").cast(pl.UInt32).alias(name), size=pl.col("size").sum().over("same"))
    alike = alike.filter(pl.col("size") <= CROWD)
    numbers = rows.select("hash").join(alike.select("hash", name), on="hash", how="left", maintain_order="left")[name]
    return numbers, alike.select(name, "size").unique()


def _numbers(phones: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Return the last digits of each telephone number, and how many share it where few do."""
    digits = phones.str.replace_many(IN_NUMBERS)
    known = pl.when(digits.str.len_bytes() >= LEAST_DIGITS).then(digits.str.tail(NUMBER_DIGITS))
    ends = pl.select(p=known.cast(pl.UInt32, strict=False)).to_series()
    return ends, ends.drop_nulls().value_counts(name="size").filter(pl.col("size").is_between(2, SWITCHBOARD))


def _counted(w: pl.Series) -> pl.DataFrame:
    """Return each word with its letters and how many people bear it."""
    every = w.explode().alias("word").drop_nulls().value_counts(name="n")
    words = every.select("n", id=pl.col("word").to_physical(), word=pl.col("word").cast(pl.String))
    bits = [pl.col("word").str.contains(letter, literal=True).cast(pl.UInt32) * (1 << place) for place, letter in enumerate(ALPHABET)]
    return words.with_columns(letters=pl.sum_horizontal(bits).cast(pl.UInt32))


def _short_forms(words: pl.DataFrame) -> pl.DataFrame:
    """Return which words are one first name."""
    text = resources.files("crm_pipelines.discovery").joinpath("nicknames.csv").read_text(encoding="utf-8")
    lines = pl.DataFrame({"line": [line for line in text.splitlines() if not line.startswith("#")]}).with_row_index("name")
    forms = lines.select("name", word=pl.col("line").str.split(",")).explode("word").select("name", word=plain_word(pl.col("word")))
    known = forms.join(words.select("id", "word"), on="word").select("name", "id")
    pairs = known.join(known, on="name", suffix="_2").filter(pl.col("id") != pl.col("id_2"))
    return pairs.select(one="id", other="id_2").unique()


def _write(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, compression="uncompressed", statistics=False)
