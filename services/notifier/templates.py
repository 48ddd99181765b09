"""Texts that Signalbox writes by itself: Jinja2 templates, one file a name and language (behaviour N-3).

A file `templates/<name>.<language>.txt` may begin with a line `Subject: …` and an empty line. Templates run in a
sandbox. When a bundle is read each is rendered with sample values and an unknown name refuses the bundle; when a
notice is written an unknown name is empty, because a mail with a gap is better than none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

FOLDER, SUFFIX = "templates/", ".txt"
SUBJECT = "Subject: "

Values = Mapping[str, str | int | bool | None]

CUSTOMER: Values = {"reference": "SB-10427", "subject": "Lamp", "customer": "Ann", "brand": "Lumen", "promise": None}
REOPEN = "https://help.example.com/v1/reopen/0190f1d2?expires=1767225600&signature=c2lnbmVk"
CLOCK: Values = {"reference": "SB-10427", "metric": "first response", "deadline": "Monday, 10:00", "share": 80}
OWNERS: Values = {"queue": "general", "assignee": "mira"}
SAMPLES: dict[str, Values] = {
    "acknowledgment.in_hours": {**CUSTOMER, "holiday": None, "promise": "Monday, 10:00"},
    "acknowledgment.after_hours": {**CUSTOMER, "holiday": None, "promise": "Monday, 10:00"},
    "acknowledgment.holiday": {**CUSTOMER, "holiday": "Christmas Day", "promise": "Monday, 10:00"},
    "acknowledgment.chat": {**CUSTOMER, "holiday": None, "promise": "Monday, 10:00"},
    "reply_footer": {**CUSTOMER, "mark": "[ref:10427.abcdefgh]"},
    "resolved": {**CUSTOMER, "reopen_link": REOPEN},
    "resolved.chat": {**CUSTOMER, "reopen_link": REOPEN},
    "reminder": CUSTOMER,
    "reminder.chat": CUSTOMER,
    "sla_warning": {**CLOCK, **OWNERS},
    "sla_breach": {**CLOCK, **OWNERS},
    "assigned": {"reference": "SB-10427", **OWNERS},
    "delivery_failed": {"reference": "SB-10427", "permanent": True, "status": "5.1.1", **OWNERS},
}
"""Every template there is, with values to try it on; all names a template may use are here."""

LENIENT = ImmutableSandboxedEnvironment(autoescape=False, keep_trailing_newline=False)
STRICT = ImmutableSandboxedEnvironment(autoescape=False, undefined=StrictUndefined)


class TemplateFault(ValueError):
    """A template that cannot be used; the text names file and reason."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished text. A subject is one line."""

    subject: str
    text: str


class Templates:
    """All templates of a bundle; each name is there at least in the default language."""

    def __init__(self, sources: Mapping[tuple[str, str], str], default: str) -> None:
        """sources: by (name, language). TemplateFault."""
        self._default = default
        self.sources = sources
        for name in SAMPLES:
            if (name, default) not in sources:
                raise TemplateFault(f"{_file(name, default)}: is missing")
        self._compiled = {key: _checked(key, source) for key, source in sources.items()}

    def render(self, name: str, language: str | None, values: Values) -> Rendered:
        """In the nearest language there is: `de-at`, `de`, the default."""
        return _split(_render(self._compiled[name, self.language(name, language)], values))

    def preview(self, name: str, language: str | None, values: Values) -> Rendered:
        """The same, but TemplateFault for a name that is not there. KeyError for a template that is not."""
        key = (name, self.language(name, language))
        return _split(_try(key, self.sources[key], {**SAMPLES[name], **values}))

    def language(self, name: str, wanted: str | None) -> str:
        """The language a template is taken in."""
        language = (wanted or "").lower().replace("_", "-")
        while language and (name, language) not in self.sources:
            language = language.rpartition("-")[0]
        return language or self._default


def read_templates(files: Mapping[str, Any], default: str) -> Templates:
    """The templates among the files of a bundle. TemplateFault."""
    sources = {}
    for file, source in files.items():
        if file.startswith(FOLDER) and file.endswith(SUFFIX):
            name, _, language = file.removeprefix(FOLDER).removesuffix(SUFFIX).rpartition(".")
            if name in SAMPLES:
                sources[name, language.lower()] = str(source)
    return Templates(sources, default)


def _checked(key: tuple[str, str], source: str) -> Template:
    _try(key, source, SAMPLES[key[0]])
    return LENIENT.from_string(source)


def _try(key: tuple[str, str], source: str, values: Values) -> str:
    try:
        return _render(STRICT.from_string(source), values)
    except TemplateError as fault:
        raise TemplateFault(f"{_file(*key)}: {fault.message or type(fault).__name__}") from None


def _render(template: Template, values: Values) -> str:
    """What `template.render` does, without the globals that it copies each time: half the cost."""
    context = template.environment.context_class(template.environment, dict(values), None, {})
    return "".join(template.root_render_func(context))


def _split(text: str) -> Rendered:
    if not text.startswith(SUBJECT):
        return Rendered("", text)
    first, _, rest = text.partition("\n")
    return Rendered(" ".join(first.removeprefix(SUBJECT).split()), rest.lstrip("\n"))


def _file(name: str, language: str) -> str:
    return f"{FOLDER}{name}.{language}{SUFFIX}"
