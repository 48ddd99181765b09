"""The page behind the link that reopens (behaviour K-3)."""

from dataclasses import replace

import pytest

from libs.contracts.ticket_state import StatusCategory
from services.intake.domain.reopening import Standing, standing
from services.intake.reopen_page import ReopenPages, read_reopen_pages
from signalbox.configuration import read_configuration
from tests.domain.intake.tickets import FILE, ticket


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        (StatusCategory.OPEN, Standing.OPEN),
        (StatusCategory.PENDING, Standing.OPEN),
        (StatusCategory.ON_HOLD, Standing.OPEN),
        (StatusCategory.RESOLVED, Standing.RESOLVED),
        (StatusCategory.CLOSED, Standing.OVER),
    ],
)
def test_K3_only_a_resolved_ticket_can_be_opened_again(category: StatusCategory, expected: Standing) -> None:
    present = replace(ticket(), status_category=category)
    assert standing(present) is expected
    assert standing(replace(present, removed="erased")) is Standing.OVER
    assert standing(replace(present, merged_into="another")) is Standing.OVER
    assert standing(None) is Standing.OVER


@pytest.mark.parametrize("pages", [ReopenPages(), read_reopen_pages(read_configuration(FILE.parent))])
@pytest.mark.parametrize("language", [None, "en", "de", "de-AT", "fr"])
def test_K3_only_the_page_of_a_resolved_ticket_has_a_button_and_no_page_runs_anything(
    pages: ReopenPages, language: str | None
) -> None:
    for state in Standing:
        shown = pages.render(state, "SB-1<", language)
        assert ('<form method="post">' in shown) is (state is Standing.RESOLVED)
        assert "SB-1<" not in shown
        assert "<script" not in shown


@pytest.mark.parametrize("source", ["{{ subject }}", "{% if %}", "{{ state.__class__.mro() }}"])
def test_K3_a_page_that_cannot_be_shown_refuses_the_configuration(source: str) -> None:
    with pytest.raises(ValueError, match=r"templates/reopen\.en\.html: "):
        read_reopen_pages({"templates/reopen.en.html": source})
