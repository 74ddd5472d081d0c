"""Bytes to text: what the file is, and which encoding it was written in.

Belongs here: byte-order marks, encodings, refusing what is no CSV. Not here: lines and records (prescan), and the
row counter's own decoding (rowcount), which stays apart on purpose.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass, replace

from crm_pipelines.errors import SourceError

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# First bytes of files that people upload in place of a CSV file, and what to tell them.
FOREIGN = (
    (b"PK\x03\x04", "an Excel workbook or zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3", "a database file"),
)
MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|table|\?xml)", re.IGNORECASE)

# Unguided, charset-normalizer called cp1252 "cp1250" and turned n-tilde wrong; only these are ever considered.
GUESSABLE = ["utf_8", "cp1252", "cp1251", "utf_16"]
GUESS_SAMPLE_BYTES = 65_536
NUL_SHARE_OF_UTF16 = 0.2
ACCENTED_WORD = re.compile(rb"[A-Za-z]*[\xc0-\xff][A-Za-z\xc0-\xff]*")
ASCII_END = 0x80
TEXT_CONTROLS = b"\t\n\r\x0b\x0c\x1b"
BINARY_SHARE = 0.05
CHECKED_BYTES = 1 << 20


@dataclass(frozen=True)
class Decoded:
    """A file's bytes, the encoding they are in, whether it ends inside a character, whether others are damaged.

    A damaged character is U+FFFD in the text; the rows that hold one are set aside (prescan).
    """

    data: bytes
    encoding: str
    is_cut: bool = False
    is_damaged: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return everything as one text: up to four times the bytes of the file."""
        return self.data.decode(self.encoding, "replace" if self.is_damaged else "strict")

    def lines(self) -> list[str]:
        r"""Return the lines with their ends (\n, \r\n, lone \r), byte-order marks left out; the whole text is never in memory."""
        reader = io.TextIOWrapper(io.BytesIO(self.data), self.encoding, "replace" if self.is_damaged else "strict", newline="")
        return [first.lstrip("\ufeff") for first in reader.readlines(1)] + list(reader)


def decode_export(data: bytes, file_name: str, declared: str | None = None) -> Decoded:
    """Turn a file's bytes into text: byte-order mark, then the declared encoding, then strict UTF-8, then a guess.

    Raises: SourceError when the file is empty, is no text, or its encoding must be declared.
    """
    refuse_foreign(data, file_name)
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return _strict(data, encoding, file_name)
    if declared is not None:
        return _strict(data, declared, file_name)
    if (utf16 := _utf16_without_mark(data)) is not None:
        return _strict(data, utf16, file_name)
    try:
        require_decodes(data, "utf-8")
        return Decoded(data, "utf-8")
    except UnicodeDecodeError as error:
        if _is_cut_character(data, error):
            return _cut(data, "utf-8", error)
        return _damaged(data) if _is_mostly_utf8(data) else _guess(data, file_name)


def require_decodes(data: bytes, encoding: str) -> None:
    """Raise UnicodeDecodeError, with places in the whole file, unless the bytes are in this encoding; it is tried piece by piece."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), CHECKED_BYTES):
            decoder.decode(data[start : start + CHECKED_BYTES], start + CHECKED_BYTES >= len(data))
    except UnicodeDecodeError:
        data.decode(encoding)  # places in the error of a piece are those of the piece


def refuse_foreign(data: bytes, file_name: str) -> None:
    """Raise SourceError when the bytes are empty or those of something other than delimited text."""
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        raise SourceError(f"{file_name}: the file is empty; export it again")
    for magic, kind in FOREIGN:
        if data.startswith(magic):
            raise SourceError(f"{file_name}: this is {kind}, not a CSV file; export or save it as CSV")
    if MARKUP.match(data[:512]):
        raise SourceError(f"{file_name}: this is a web page or XML, not a CSV file; it is often a login page saved by mistake")
    if _is_binary(data):
        raise SourceError(f"{file_name}: this is a binary file, not a CSV file; export it again")


def _is_binary(data: bytes) -> bool:
    """Whether control characters make up more of the sample than text has (UTF-16 and UTF-32 have only NUL)."""
    sample = data[:GUESS_SAMPLE_BYTES]
    controls = sum(sample.count(code) for code in range(1, 32) if code not in TEXT_CONTROLS)
    return controls > BINARY_SHARE * len(sample)


def _utf16_without_mark(data: bytes) -> str | None:
    """Recognise UTF-16 without its mark: Latin text then has a NUL in every second byte."""
    sample = data[:4096]
    if sample.count(0) < NUL_SHARE_OF_UTF16 * len(sample):
        return None
    return "utf-16-le" if sample[1::2].count(0) > sample[0::2].count(0) else "utf-16-be"


def _strict(data: bytes, encoding: str, file_name: str) -> Decoded:
    try:
        require_decodes(data, encoding)
        return Decoded(data, encoding)
    except LookupError:
        raise SourceError(f"{file_name}: the declared encoding '{encoding}' is not known; try utf-8, cp1252, cp1251 or utf-16") from None
    except UnicodeDecodeError as error:
        if _is_cut_character(data, error):
            return _cut(data, encoding, error)
        raise SourceError(
            f"{file_name}: byte {error.start} does not fit the encoding {encoding}; declare the right `encoding` for this file"
        ) from None


def _is_cut_character(data: bytes, error: UnicodeDecodeError) -> bool:
    """Whether only the file's last character is incomplete, as after an interrupted download."""
    return error.end == len(data) and error.reason in ("unexpected end of data", "truncated data")


def _cut(data: bytes, encoding: str, error: UnicodeDecodeError) -> Decoded:
    return Decoded(data[: error.start], encoding, is_cut=True, warnings=("the file ends in the middle of a character: it was cut off",))


def _is_mostly_utf8(data: bytes) -> bool:
    """Whether more lines with accents are UTF-8 than are not; text in a legacy code page hardly ever is by chance."""
    telling = [line for line in re.split(rb"[\r\n]+", data) if not line.isascii()]
    good = sum(_is_utf8(line) for line in telling)
    return good > len(telling) - good


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _damaged(data: bytes) -> Decoded:
    warning = "some characters are not UTF-8, as most of the file is; the rows that hold them are set aside"
    return Decoded(data, "utf-8", is_damaged=True, warnings=(warning,))


def _guess(data: bytes, file_name: str) -> Decoded:
    """Choose among the few encodings that Western and Cyrillic spreadsheets write, and say that it was a guess."""
    evidence = _telling_lines(data)
    encoding = _by_words(evidence) or _by_frequencies(evidence)
    if encoding is None:
        raise SourceError(f"{file_name}: the file is not UTF-8 and its encoding could not be found out; declare its `encoding`")
    decoded = _strict(data, encoding, file_name)
    warning = f"the file is not UTF-8; its encoding was taken to be {encoding}: declare `encoding` to be sure"
    return replace(decoded, warnings=(*decoded.warnings, warning))


def _by_words(evidence: bytes) -> str | None:
    """Tell cp1252 from cp1251: accents stand among ASCII letters in one word, Cyrillic words have none.

    charset-normalizer alone took a single accented name in a file for cp1251, half Latin and half Cyrillic.
    """
    words = ACCENTED_WORD.findall(evidence)
    if not words:
        return "cp1252"  # symbols only (the euro, a trade mark): what both share, or Western
    western = sum(any(letter < ASCII_END for letter in word) for word in words)
    cyrillic = sum(len(word) > 1 and all(letter >= ASCII_END for letter in word) for word in words)
    if western == cyrillic:
        return None
    return "cp1252" if western > cyrillic else "cp1251"


def _by_frequencies(evidence: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(evidence, cp_isolation=GUESSABLE).best()
    return None if best is None else best.encoding


def _telling_lines(data: bytes) -> bytes:
    """Return the lines that hold non-ASCII bytes: all the evidence there is, without the bulk that has none."""
    lines = (line for line in re.split(rb"[\r\n]+", data) if not line.isascii())
    return b"\n".join(lines)[:GUESS_SAMPLE_BYTES]
