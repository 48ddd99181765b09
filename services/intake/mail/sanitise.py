"""HTML of strangers made fit to be shown to agents (behaviour E-4)."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from html import escape, unescape
from urllib.parse import unquote

import nh3

MAX_HTML = 2_000_000
# the parser behind nh3 takes time in the square of the depth: ten seconds for forty thousand open elements
MAX_DEPTH = 1000
# its time also grows with the square of what it writes as character references
MAX_REFERENCES = 20_000
REFERENCES = "&\xa0"
MAX_MARKUP = 20_000
MAX_ATTRIBUTES = 1_000
# it repeats formatting that was never closed in every element below: three seconds for thirty kilobytes of them
MAX_REPEATED = 100_000
FEW_TAGS = 440
"""So many can neither be that deep nor repeat that much, however they stand."""
TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})((?:[^<>"']++|"[^"]*"|'[^']*')*+)""")
FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
SHOWN = re.compile(r'src="cid:([^"]*)"', re.IGNORECASE)
# elements that hold nothing, or that the next of their kind closes
UNNESTED = frozenset(
    {
        "area",
        "br",
        "col",
        "dd",
        "dt",
        "hr",
        "img",
        "input",
        "li",
        "link",
        "meta",
        "option",
        "p",
        "td",
        "th",
        "tr",
        "wbr",
    }
)

TAGS = nh3.ALLOWED_TAGS | {"center", "font"}
ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    "img": {"src", "alt", "title", "width", "height"},
    "a": {"href", "title"},
    "font": {"color"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align"},
}
SCHEMES = {"http", "https", "mailto", "tel", "cid"}


def clean_html(markup: str) -> str | None:
    """Safe HTML: no scripts, styles or forms; images only by `cid:`, so that opening a mail tells nobody.

    None for markup that would keep the cleaner busy, of which no mail that people read has as much: show the text
    instead.
    """
    if len(markup) > MAX_HTML or markup.count("<") > MAX_MARKUP or sum(map(markup.count, REFERENCES)) > MAX_REFERENCES:
        return None
    if not _is_bearable(markup):
        return None
    return _cleaner().clean(markup)


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_allowed,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )


def _is_bearable(markup: str) -> bool:
    """Whether the cleaner is done with it soon, as far as tags alone tell."""
    tags = TAG.findall(markup)
    if any(len(attributes) > MAX_ATTRIBUTES < len(attributes.split()) for _, _, attributes in tags):
        return False
    if len(tags) <= FEW_TAGS:
        return True
    depth = repeated = formatting = 0
    opened: Counter[str] = Counter()
    for closes, name, _ in tags:
        tag = name.lower()
        repeated += formatting
        if tag in UNNESTED or (closes and not opened[tag]):
            continue
        step = -1 if closes else 1
        opened[tag] += step
        depth += step
        formatting += step if tag in FORMATTING else 0
        if depth > MAX_DEPTH or repeated > MAX_REPEATED:
            return False
    return True


def _allowed(tag: str, attribute: str, value: str) -> str | None:
    if (tag, attribute) == ("img", "src"):
        return value if value.lower().startswith("cid:") else None
    if (tag, attribute) == ("a", "href") and value.lower().startswith("cid:"):
        return None
    return value


def named_images(cleaned: str, names: Mapping[str, str]) -> str:
    """Cleaned HTML whose images go by other names than their content ids; an image without a name stays as it is."""

    def named(match: re.Match[str]) -> str:
        written = unescape(match[1])
        name = names.get(written) or names.get(unquote(written))
        return match[0] if name is None else f'src="cid:{name}"'

    return SHOWN.sub(named, cleaned)


def linked_images(cleaned: str, links: Mapping[str, str]) -> str:
    """Cleaned HTML whose images are loaded from links, by their names; an image without a link shows nothing."""
    return SHOWN.sub(lambda match: f'src="{escape(links.get(match[1], ""))}"', cleaned)
