"""What a file from outside must be before anything in it is read: a plain workbook of a bearable size, with nothing in it that runs.

Belongs here: the container (zip, its members, their real sizes) and what must not be inside. Not here: the sheets (sheets_read).
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from crm_pipelines.reports.sheets_values import CellProblem, Limits, SheetError

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] 2.2: header signature of compound files (.xls, encrypted .xlsx)
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 2.3.4.4: the stream of a password-protected workbook
_OLE_SEARCHED = 1_000_000
_CHUNK = 65_536
_RATIO_FROM_BYTES = 1_000_000
_SAVE_AS = "open it in your spreadsheet program and save it as Excel workbook (.xlsx)"
_FORBIDDEN = {
    "vbaproject": ("no macros", "macros", "save it as Excel workbook (.xlsx) without macros"),
    "xl/macrosheets/": ("no macros", "a macro sheet", "save it as Excel workbook (.xlsx) without macros"),
    "xl/externallinks/": ("no links to other files", "a link to another file", "break the links (Data, Edit Links) and save again"),
    "xl/connections.xml": ("no links to other data", "a data connection", "remove the connections and save again"),
    "xl/embeddings/": ("no embedded files", "an embedded file", "delete embedded objects and save again"),
    "xl/activex/": ("no controls", "an ActiveX control", "delete the controls and save again"),
    "xl/model/": ("no data model", "a data model", "copy the answers into the workbook that we sent"),
}


def open_workbook(path: Path, limits: Limits) -> zipfile.ZipFile:
    """Open a file that has the shape of a workbook and nothing in it that runs; the caller closes it.

    Raises: SheetError saying what the file is instead and how to get a workbook of it.
    """
    _must_be_file(path, limits)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _refused(path, "a whole workbook", "a damaged file", "send it again; the transfer may have broken off") from error
    try:
        _must_be_bearable(path, archive, limits)
        _must_be_workbook(path, archive)
        _must_be_harmless(path, archive, limits)
    except BaseException:
        archive.close()
        raise
    return archive


def member_chunks(path: Path, archive: zipfile.ZipFile, name: str, limits: Limits) -> Iterator[bytes]:
    """Yield a member piece by piece, and stop as soon as more comes out than it declared or than is bearable."""
    total = 0
    try:
        with archive.open(name) as stream:
            while piece := stream.read(_CHUNK):
                total += len(piece)
                if total > limits.inflated_bytes:
                    raise _bomb(path)
                yield piece
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise _refused(path, "a whole workbook", "a damaged file", "send it again; the transfer may have broken off") from error


def _must_be_file(path: Path, limits: Limits) -> None:
    if path.is_dir():
        raise _refused(path, "a workbook (.xlsx)", "a folder", "name the file itself")
    if not path.is_file():
        raise _refused(path, "a workbook (.xlsx)", "no file", "check the name")
    size = path.stat().st_size
    if size == 0:
        raise _refused(path, "a workbook (.xlsx)", "an empty file", "send it again; the transfer may have broken off")
    if size > limits.file_bytes:
        raise _refused(path, f"at most {limits.file_bytes:,} bytes", "a larger file", "send the workbook that we gave out, filled in")
    with path.open("rb") as stream:
        head = stream.read(_OLE_SEARCHED)
    if head.startswith(OLE_MAGIC):
        raise _ole(path, head)
    if not head.startswith(b"PK"):
        found = "a text file" if _is_text(head[:4096]) else "something else"
        todo = f"it may be a CSV with another name: {_SAVE_AS}" if found == "a text file" else _SAVE_AS
        raise _refused(path, "a workbook (.xlsx)", found, todo)


def _ole(path: Path, head: bytes) -> SheetError:
    if _ENCRYPTED in head:
        return _refused(
            path, "a workbook without a password", "a password-protected one", "remove the password (File, Info) and save again"
        )
    return _refused(path, "a workbook (.xlsx)", "an old one (.xls)", _SAVE_AS)


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and sum(byte < 9 for byte in head) == 0


def _must_be_bearable(path: Path, archive: zipfile.ZipFile, limits: Limits) -> None:
    members = archive.infolist()
    if len(members) > limits.members or len({member.filename for member in members}) < len(members):
        raise _bomb(path)
    if sum(member.file_size for member in members) > limits.inflated_bytes:
        raise _bomb(path)
    for member in members:
        if member.flag_bits & 1:
            raise _refused(path, "a workbook without a password", "a password-protected one", "save it again without a password")
        if member.file_size > max(_RATIO_FROM_BYTES, member.compress_size * limits.ratio):
            raise _bomb(path)


def _must_be_workbook(path: Path, archive: zipfile.ZipFile) -> None:
    names = {name.casefold() for name in archive.namelist()}
    if "mimetype" in names or "content.xml" in names:
        raise _refused(path, "a workbook (.xlsx)", "an OpenDocument file (.ods)", _SAVE_AS)
    if "xl/workbook.bin" in names:
        raise _refused(path, "a workbook (.xlsx)", "a binary one (.xlsb)", _SAVE_AS)
    if "xl/workbook.xml" not in names or "[content_types].xml" not in names:
        raise _refused(path, "a workbook (.xlsx)", "another kind of archive", _SAVE_AS)


def _must_be_harmless(path: Path, archive: zipfile.ZipFile, limits: Limits) -> None:
    problems = []
    names = {name.casefold(): name for name in archive.namelist()}
    for part, (expected, found, todo) in _FORBIDDEN.items():
        if any(part in name for name in names):
            problems.append(CellProblem("", "", expected, found, todo))
    kinds = b"".join(member_chunks(path, archive, names["[content_types].xml"], limits))
    if not problems and b"macroenabled" in kinds.lower():
        problems.append(CellProblem("", "", "no macros", "a macro-enabled workbook", "save it as Excel workbook (.xlsx) without macros"))
    if problems:
        raise SheetError(path, problems)


def _bomb(path: Path) -> SheetError:
    return _refused(
        path, "a workbook of bearable size", "an archive that unpacks to far more than it should", "send the workbook that we gave out"
    )


def _refused(path: Path, expected: str, found: str, todo: str) -> SheetError:
    return SheetError(path, [CellProblem("", "", expected, found, todo)])
