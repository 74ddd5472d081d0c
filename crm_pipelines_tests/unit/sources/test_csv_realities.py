"""What users report about CSV files, one test for each row of the list of realities.

The order is that of the list: byte-order mark, UTF-16, legacy code pages, delimiters, line ends, headings, guards,
numbers, dates, money, twins, repairs, blank and broken rows, control characters, long fields, empty cells.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from crm_pipelines.errors import SourceError
from crm_pipelines_tests.unit.sources.staging import reasons, said, stage

HEAD = "id,email,first_name\n"


def test_utf8_byte_order_mark_is_not_glued_to_the_first_heading(tmp_path: Path) -> None:
    chunk = stage(tmp_path, b"\xef\xbb\xbf" + (HEAD + "1,a@example.com,Ann\n").encode())
    assert chunk.headings[0].raw == "id"
    assert chunk.frame["id"].to_list() == [1]
    assert chunk.encoding == "utf-8-sig"


def test_byte_order_mark_before_a_quoted_heading(tmp_path: Path) -> None:
    chunk = stage(tmp_path, b"\xef\xbb\xbf" + b'"id","e-mail"\n"1","a@example.com"\n')
    assert chunk.frame.select("id", "email").rows() == [(1, "a@example.com")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_with_and_without_mark(tmp_path: Path, encoding: str) -> None:
    chunk = stage(tmp_path, (HEAD + "1,a@example.com,Łukasz\r\n2,b@example.com,\r\n").encode(encoding))
    assert chunk.frame["first_name"].to_list() == ["Łukasz", None]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", "Muñoz"),
        ("cp1252", "José"),
        ("cp1252", "Reputation™ “live”"),
        ("cp1252", "€ 5"),
        ("cp1251", "Анна"),
        ("cp1251", "Сергей Иванов"),
    ],
)
def test_legacy_code_pages_are_told_apart_and_the_guess_is_said(tmp_path: Path, encoding: str, name: str) -> None:
    chunk = stage(tmp_path, (HEAD + f"1,a@example.com,{name}\n").encode(encoding))
    assert (chunk.encoding, chunk.frame["first_name"][0]) == (encoding, name)
    assert said(chunk, "encoding was taken to be", encoding)


def test_declared_encoding_is_used_without_a_guess(tmp_path: Path) -> None:
    chunk = stage(tmp_path, (HEAD + "1,a@example.com,Łukasz\n").encode("cp1250"), encoding="cp1250")
    assert chunk.frame["first_name"][0] == "Łukasz"
    assert not chunk.warnings


def test_declared_encoding_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not fit the encoding ascii"):
        stage(tmp_path, HEAD + "1,a@example.com,José\n", encoding="ascii")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_the_one_that_shows_known_headings(tmp_path: Path, delimiter: str) -> None:
    text = delimiter.join(["id", "email", "notes"]) + "\n" + delimiter.join(["1", "a@example.com", '"x,y;z\tq|r"']) + "\n"
    chunk = stage(tmp_path, text)
    assert chunk.delimiter == delimiter
    assert chunk.frame["notes"][0] == "x,y;z\tq|r"


def test_sep_line_names_the_delimiter_and_is_no_row(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "sep=;\r\nid;email\r\n1;a@example.com\r\n")
    assert (chunk.delimiter, chunk.physical_rows) == (";", 1)
    assert chunk.frame.select("_row", "_line").rows() == [(1, 3)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_within_quotes_stay_as_they_are(tmp_path: Path, line_end: str) -> None:
    text = f'id,email,notes{line_end}1,a@example.com,"one\ntwo\r\nthree"{line_end}2,b@example.com,x{line_end}'
    chunk = stage(tmp_path, text)
    assert chunk.frame["notes"].to_list() == ["one\ntwo\r\nthree", "x"]
    assert chunk.frame["_line"].to_list() == [2, 5]


def test_lone_carriage_returns_end_lines(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id,email\r1,a@example.com\r2,b@example.com\r")
    assert chunk.frame["id"].to_list() == [1, 2]


def test_unknown_doubled_heading_is_renamed_with_a_warning(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id,email,Favourite,favourite\n1,a@example.com,x,y\n")
    assert chunk.frame.select("favourite", "favourite__2").rows() == [("x", "y")]
    assert said(chunk, "favourite__2")


def test_known_doubled_heading_with_the_same_content_is_read_once(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id,Email,phone,email\n1,a@example.com,5,a@example.com\n2,b@example.com,6,\n")
    assert chunk.frame["email"].to_list() == ["a@example.com", "b@example.com"]
    assert said(chunk, "both email")


def test_known_doubled_heading_with_other_content_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"headings 2 \(Email\) and 3 \(email\) are both email"):
        stage(tmp_path, "id,Email,email\n1,a@example.com,b@example.com\n")


def test_formula_guard_goes_only_before_a_formula_character(tmp_path: Path) -> None:
    text = "id,email,first_name,phone,notes\n1,a@example.com,'tHooft,'+14155550123,'-5\n2,b@example.com,\t=Ann,+14155550123,-5\n"
    chunk = stage(tmp_path, text)
    rows = chunk.frame.select("first_name", "phone", "notes").rows()
    assert rows == [("'tHooft", "+14155550123", "-5"), ("=Ann", "+14155550123", "-5")]
    assert chunk.repairs == {"first_name": {"formula_guard": 1}, "phone": {"formula_guard": 1}, "notes": {"formula_guard": 1}}
    assert chunk.frame["raw_phone"].to_list() == ["'+14155550123", "+14155550123"]


def test_quarantine_for_spreadsheets_puts_the_guard_back(tmp_path: Path) -> None:
    from crm_pipelines.sources.quarantine import as_csv, as_json_lines

    chunk = stage(tmp_path, HEAD + "=1,a@example.com\n")
    assert b"'=1" in as_csv("f.csv", chunk.bad_lines)
    assert b'"=1,' in as_json_lines("f.csv", chunk.bad_lines)


def test_leading_zeros_stay_and_rounded_phone_numbers_are_told(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id,email,zip,phone\n1,a@example.com,02134,4.47701E+11\n2,b@example.com,00501,0207\n")
    assert chunk.frame["zip"].to_list() == ["02134", "00501"]
    assert chunk.frame["phone"].to_list() == ["4.47701E+11", "0207"]
    assert said(chunk, "phone", "rounded 1 numbers")


def test_rounded_ids_are_no_ids(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id,email\n4.17E+06,a@example.com\n2,b@example.com\n")
    assert reasons(chunk) == [(1, 2, 2, "bad_key")]
    assert chunk.cell_errors.is_empty()


def test_one_date_order_per_column_from_rows_that_read_one_way(tmp_path: Path) -> None:
    text = "id,email,date_joined\n1,a@example.com,03-04-2024\n2,b@example.com,25-12-2024 18:30\n"
    chunk = stage(tmp_path, text, source_timezone="UTC")
    assert chunk.frame["date_joined"].to_list() == [datetime(2024, 4, 3, tzinfo=UTC), datetime(2024, 12, 25, 18, 30, tzinfo=UTC)]


def test_american_dates_with_am_and_pm(tmp_path: Path) -> None:
    dates = ["03/04/2024 12:05 AM", "12/25/2024 12:30 PM", "1/2/2024 1:05:09 pm"]
    text = "id,email,date_joined\n" + "".join(f"{number},a@example.com,{date}\n" for number, date in enumerate(dates, 1))
    chunk = stage(tmp_path, text, source_timezone="UTC")
    assert [str(moment)[:19] for moment in chunk.frame["date_joined"]] == [
        "2024-03-04 00:05:00",
        "2024-12-25 12:30:00",
        "2024-01-02 13:05:09",
    ]


def test_dates_that_only_read_two_ways_must_be_declared(tmp_path: Path) -> None:
    text = "id,email,date_joined\n1,a@example.com,03-04-2024\n2,b@example.com,2024-05-01\n"
    with pytest.raises(SourceError, match=r"export.csv: .*date_joined.*date_order"):
        stage(tmp_path, text)
    declared = stage(tmp_path, text, source_timezone="UTC", date_orders={"date_joined": "mdy"})
    assert declared.frame["date_joined"][0] == datetime(2024, 3, 4, tzinfo=UTC)


def test_rows_in_both_orders_leave_the_doubtful_ones_in_doubt(tmp_path: Path) -> None:
    dates = ["25/12/2024", "12/25/2024", "03/04/2024", "05/05/2024"]
    text = "id,email,date_joined\n" + "".join(f"{number},a@example.com,{date}\n" for number, date in enumerate(dates, 1))
    chunk = stage(tmp_path, text, source_timezone="UTC")
    assert [moment and moment.day for moment in chunk.frame["date_joined"]] == [25, 25, None, 5]
    assert chunk.cell_errors.rows() == [(3, 4, "date_joined", "ambiguous_date")]


def test_european_money_is_read_only_where_declared(tmp_path: Path) -> None:
    text = 'username,name,email,status,earned\nann,Ann,a@example.com,approved,"1.234,56"\nbob,Bob,b@example.com,approved,12\n'
    american = stage(tmp_path, text, "affiliates")
    assert american.frame["earned"].to_list() == [None, Decimal("12")]
    assert american.cell_errors.rows() == [(1, 2, "earned", "number_of_other_locale")]
    assert american.frame["raw_earned"][0] == "1.234,56"
    assert stage(tmp_path, text, "affiliates", decimal_locale="eu").frame["earned"].to_list() == [Decimal("1234.56"), Decimal("12")]


def test_email_case_twins_and_spelling_are_kept_for_the_fold(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id,email\n1,Ann@Example.com\n2,ann@example.com\n")
    assert chunk.frame["email"].to_list() == ["Ann@Example.com", "ann@example.com"]


def test_entities_and_mojibake_are_undone_counted_and_kept(tmp_path: Path) -> None:
    head = "id,email,first_name,last_name,website\n"
    text = head + "1,a@example.com,JosÃ©,O&#039;Neil,https://example.com/?a=1&copy;=2\n2,b@example.com,José,AT&T,\n"
    chunk = stage(tmp_path, text)
    assert chunk.frame.select("first_name", "last_name").rows() == [("José", "O'Neil"), ("José", "AT&T")]
    assert chunk.frame["website"][0] == "https://example.com/?a=1&copy;=2"
    assert chunk.repairs == {"first_name": {"mojibake": 1}, "last_name": {"entity": 1}}
    assert chunk.frame["raw_first_name"].to_list() == ["JosÃ©", "José"]


def test_blank_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + '\n1,a@example.com,Ann\n,,\n" ","",  \n   \n2,b@example.com,Bob\n\n')
    assert (chunk.physical_rows, chunk.blank_rows) == (7, 5)
    assert chunk.frame["_row"].to_list() == [2, 6]


def test_blank_lines_above_the_heading(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "\n\r\n" + HEAD + "1,a@example.com,Ann\n")
    assert (chunk.physical_rows, chunk.blank_rows, chunk.frame["_line"][0]) == (3, 2, 4)


def test_extra_field_sends_the_row_to_quarantine(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + "1,a@example.com,Doe, Ann\n2,b@example.com,Bob\n")
    assert reasons(chunk) == [(1, 2, 2, "extra_field")]
    assert chunk.bad_lines[0].raw == "1,a@example.com,Doe, Ann"
    assert "4 cells, the heading 3" in chunk.bad_lines[0].sentence


def test_short_row_is_not_padded(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + "1,a@example.com\n2,b@example.com,Bob\n")
    assert reasons(chunk) == [(1, 2, 2, "short_row")]
    assert chunk.frame["id"].to_list() == [2]


def test_truncated_last_row(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + "1,a@example.com,Ann\n2,b@exam")
    assert reasons(chunk) == [(2, 3, 3, "truncated_last_row")]
    assert said(chunk, "does not end with a line end")


def test_whole_last_row_without_line_end_is_kept_with_a_warning(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + "1,a@example.com,Ann\n2,b@example.com,Bob")
    assert chunk.frame["id"].to_list() == [1, 2]
    assert said(chunk, "last cell may be cut off")


def test_file_cut_within_a_character(tmp_path: Path) -> None:
    chunk = stage(tmp_path, (HEAD + "1,a@example.com,Ann\n2,b@example.com,José").encode()[:-1])
    assert reasons(chunk) == [(2, 3, 3, "truncated_last_row")]
    assert chunk.encoding == "utf-8"


def test_unterminated_quote_is_one_row_with_its_line_span(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + '1,a@example.com,Ann\n2,b@example.com,"Bob\n3,c@example.com,Cat\n4,d@example.com,Dan\n')
    assert reasons(chunk) == [(2, 3, 5, "unterminated_quote")]
    assert chunk.physical_rows == 2


@pytest.mark.parametrize("cell", ['5" pipe', '"5" pipe"', 'a "b"', '"x"y'])
def test_stray_quotes_send_the_row_to_quarantine(tmp_path: Path, cell: str) -> None:
    chunk = stage(tmp_path, HEAD + f"1,a@example.com,{cell}\n2,b@example.com,Bob\n")
    assert reasons(chunk) == [(1, 2, 2, "stray_quote")]
    assert chunk.frame["first_name"].to_list() == ["Bob"]


def test_doubled_quotes_are_a_quote(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + '1,a@example.com,"5"" pipe"\n')
    assert chunk.frame["first_name"].to_list() == ['5" pipe']


@pytest.mark.parametrize("cell", [r'"say \"hi\" now"', r'"\"quoted\""', r'"a \", b"'])
def test_backslash_escaped_quotes_are_not_lost_in_silence(tmp_path: Path, cell: str) -> None:
    chunk = stage(tmp_path, HEAD + f"1,a@example.com,{cell}\n2,b@example.com,Bob\n")
    assert reasons(chunk) == [(1, 2, 2, "backslash_quote")]


def test_backslash_at_the_end_of_a_quoted_cell_is_text_and_told(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + '1,a@example.com,"C:\\"\n')
    assert chunk.frame["first_name"].to_list() == ["C:\\"]
    assert said(chunk, "1 rows hold a backslash before a quote")


def test_nul_byte_sends_the_row_to_quarantine(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + "1,a@example.com,A\0nn\n2,b@example.com,Bob\n")
    assert reasons(chunk) == [(1, 2, 2, "nul_byte")]


def test_other_control_characters_are_taken_out_and_counted(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + "1,a@example.com,A\x08nn\n")
    assert chunk.frame["first_name"][0] == "Ann"
    assert chunk.repairs == {"first_name": {"control": 1}}


def test_fields_longer_than_the_csv_module_allows(tmp_path: Path) -> None:
    long = "note " * 40_000
    chunk = stage(tmp_path, f'id,email,notes\n1,a@example.com,"{long}"\n')
    assert len(chunk.frame["notes"][0]) == 200_000


def test_empty_and_quoted_empty_cells_are_null(tmp_path: Path) -> None:
    chunk = stage(tmp_path, 'id,email,first_name\n1,"",""\n2,,\n')
    assert chunk.frame.select("email", "first_name").rows() == [(None, None), (None, None)]
    assert [heading.filled for heading in chunk.headings] == [2, 0, 0]


def test_byte_order_mark_written_twice(tmp_path: Path) -> None:
    chunk = stage(tmp_path, b"\xef\xbb\xbf" * 2 + (HEAD + "1,a@example.com,Ann\n").encode())
    assert chunk.headings[0].raw == "id"


def test_utf8_file_with_a_few_foreign_bytes_loses_only_those_rows(tmp_path: Path) -> None:
    good = (HEAD + "1,a@example.com,José\n2,b@example.com,Łukasz\n").encode()
    chunk = stage(tmp_path, good + "3,c@example.com,Muñoz\n".encode("cp1252") + "4,d@example.com,Zoë\n".encode())
    assert reasons(chunk) == [(3, 4, 4, "damaged_text")]
    assert chunk.frame["first_name"].to_list() == ["José", "Łukasz", "Zoë"]


def test_every_row_bad_is_said(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + "1,a@example.com,Ann,\n2,b@example.com,Bob,\n")
    assert [reason for *_, reason in reasons(chunk)] == ["extra_field", "extra_field"]
    assert said(chunk, "no row could be read")


def test_heading_repeated_between_the_rows_of_joined_files(tmp_path: Path) -> None:
    chunk = stage(tmp_path, HEAD + "1,a@example.com,Ann\n" + HEAD + "2,b@example.com,Bob\n")
    assert reasons(chunk) == [(2, 3, 3, "bad_key")]


def test_whole_numbers_with_a_decimal_zero_are_whole(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id,email,score\n1.0,a@example.com,+5\n2.5,b@example.com,-3\n3,c@example.com,7.00\n")
    assert chunk.frame.select("id", "score").rows() == [(1, 5), (3, 7)]
    assert reasons(chunk) == [(2, 3, 3, "bad_key")]
