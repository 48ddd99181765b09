"""The page behind the link that reopens a ticket: `templates/reopen.<language>.html`, Jinja2 in a sandbox (K-3)."""

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.intake.domain.reopening import Standing

FOLDER, SUFFIX = "templates/reopen.", ".html"
ENGLISH = "en"
PLAIN = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{ reference }}</title>
{% if state == "resolved" %}<p>We think that your request {{ reference }} is done.</p>
<form method="post"><button>It is not solved</button></form>
{% elif state == "open" %}<p>Your request {{ reference }} is open.</p>
{% else %}<p>This link is over. Please write to us again.</p>
{% endif %}
"""
"""What is shown where a configuration has no page of its own."""

STRICT = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)


class ReopenPages:
    """The page in its languages. It may use `state` (resolved, open, over) and `reference`; the form has no fields."""

    def __init__(self, sources: Mapping[str, str] | None = None) -> None:
        """sources: by language. ValueError for a page that cannot be shown."""
        self._pages = {}
        for language, source in {ENGLISH: PLAIN, **(sources or {})}.items():
            try:
                self._pages[language] = STRICT.from_string(source)
                for state in Standing:
                    self._pages[language].render(state=state.value, reference="SB-10427")
            except TemplateError as fault:
                reason = fault.message or type(fault).__name__
                raise ValueError(f"{FOLDER}{language}{SUFFIX}: {reason}") from None

    def render(self, state: Standing, reference: str, language: str | None) -> str:
        """In the nearest language there is: `de-at`, `de`, English."""
        chosen = (language or "").lower().replace("_", "-")
        while chosen and chosen not in self._pages:
            chosen = chosen.rpartition("-")[0]
        return self._pages[chosen or ENGLISH].render(state=state.value, reference=reference)


def read_reopen_pages(files: Mapping[str, Any]) -> ReopenPages:
    """The pages among the files of a bundle. ValueError names file and reason."""
    found = {
        name.removeprefix(FOLDER).removesuffix(SUFFIX).lower(): str(source)
        for name, source in files.items()
        if name.startswith(FOLDER) and name.endswith(SUFFIX)
    }
    return ReopenPages(found)
