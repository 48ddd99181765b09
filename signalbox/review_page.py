"""A review as one page of HTML that needs nothing else: no script, no font, no address outside."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from signalbox.review_words import duration, interval, number, percent

TEMPLATE = Path(__file__).with_name("review_page.html.j2")


def page(review: dict[str, Any]) -> str:
    """Everything in it is escaped: keys and names are what people typed."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(duration=duration, percent=percent, number=number, interval=interval)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(review=review)
