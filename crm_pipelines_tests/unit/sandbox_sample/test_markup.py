"""HTML that Odoo rewrote is recognised; HTML that lost something is not."""

from __future__ import annotations

import pytest

from crm_pipelines.sandbox.compare.odoo.markup import is_same_markup


@pytest.mark.parametrize(
    ("expected", "actual", "is_same"),
    [
        ("<p>it&#x27;s &lt; 5 &amp; &quot;so&quot;</p>", '<p>it\'s &lt; 5 &amp; "so"</p>', True),
        ("<p>one<br>two</p>", "<p>one<br/>two</p>", True),
        ("<p>one<br>two</p>", "<p>one two</p>", False),
        ("<p>one</p>", "<div>one</div>", False),
        ("<p>one</p>", "one", False),
        ("first<br><i>second</i>", "<span>first<br/><i>second</i></span>", True),
        ("<ul><li>one</li><li>two</li></ul>", "<ul><li>one</li></ul>", False),
        ("<ul><li>one</li><li>two</li></ul>", "<ul><li>onetwo</li></ul>", False),
        (None, "<p>one</p>", False),
        ("<p>one</p>", None, False),
        (None, "", True),
    ],
)
def test_markup_is_the_same_when_a_reader_sees_the_same(expected: str | None, actual: str | None, is_same: bool) -> None:
    assert is_same_markup(expected, actual) is is_same
