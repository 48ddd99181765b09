"""HTML to plain text: one pass, no tree, linear in the length of any input."""

import html as entities
import re

MARKUP = re.compile(r"<(?=[A-Za-z!?]|/[A-Za-z])")
NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9:-]{0,30})")
HIDDEN = {"script", "style", "title", "template", "noscript"}
HIDDEN_END = {name: re.compile(rf"</{name}", re.IGNORECASE) for name in HIDDEN}
BLANKS = re.compile(r"[ \t\r\n\f\v\u00a0]+")
PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "pre", "table", "blockquote", "hr"}
BLOCKS = {"div", "tr", "li", "dt", "dd", "center", "section", "article", "header", "footer", "form", "address", "body"}
CELLS = {"td", "th"}
MAX_QUOTE = 10
MAX_MARKUP = 20_000
"""Elements that are looked at; what follows is text without them: no mail that people read has as many."""
ANYTHING = re.compile(r"<[^<>]*>")


class Writer:
    """Lines of text, with "> " for every open blockquote."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.quotes = 0
        self.preformatted = 0

    def write(self, text: str) -> None:
        if self.preformatted:
            head, *more = text.replace("\r\n", "\n").split("\n")
            self.line.append(head)
            for line in more:
                self.end_line(force=True)
                self.line.append(line)
            return
        collapsed = BLANKS.sub(" ", text)
        if collapsed != " " or self.line:
            self.line.append(collapsed)

    def end_line(self, force: bool = False) -> None:
        text = "".join(self.line)
        text = text.rstrip() if self.preformatted else BLANKS.sub(" ", text).strip()
        self.line.clear()
        if text or force:
            self.lines.append("> " * self.quotes + text)

    def blank_line(self) -> None:
        blank = ("> " * self.quotes).rstrip()
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append(blank)

    def text(self) -> str:
        self.end_line()
        return "\n".join(line.rstrip() for line in self.lines).strip("\n")


def html_to_text(markup: str) -> str:
    """The readable text of `markup`: blocks as lines, list items with "- ", quotes with "> "; styles left out."""
    writer = Writer()
    position = 0
    for _ in range(MAX_MARKUP):
        found = MARKUP.search(markup, position)
        if not found:
            writer.write(entities.unescape(markup[position:]))
            return writer.text()
        if found.start() > position:
            writer.write(entities.unescape(markup[position : found.start()]))
        position = _markup(markup, found.start(), writer)
    writer.write(entities.unescape(ANYTHING.sub(" ", markup[position:])))
    return writer.text()


def _markup(markup: str, opening: int, writer: Writer) -> int:
    """Deals with the markup at `opening` and says where the text goes on; unclosed markup runs to the end."""
    if markup.startswith("<!--", opening):
        return _after(markup, "-->", opening)
    if markup.startswith(("<!", "<?"), opening):
        return _after(markup, ">", opening)
    name = NAME.match(markup, opening)
    if not name:
        return opening + 1
    closing = markup[opening + 1] == "/"
    tag = name[1].lower()
    end = _after(markup, ">", opening)
    if tag in HIDDEN and not closing:
        found = HIDDEN_END[tag].search(markup, end)
        return _after(markup, ">", found.start()) if found else len(markup)
    _tag(tag, closing, writer)
    return end


def _after(markup: str, sign: str, position: int) -> int:
    found = markup.find(sign, position)
    return len(markup) if found < 0 else found + len(sign)


def _tag(tag: str, closing: bool, writer: Writer) -> None:
    if tag == "br":
        writer.end_line(force=True)
    elif tag in PARAGRAPHS:
        writer.end_line()
        if closing:
            _nest(tag, -1, writer)
        writer.blank_line()
        if not closing:
            _nest(tag, 1, writer)
    elif tag in BLOCKS:
        writer.end_line()
        if tag == "li" and not closing:
            writer.line.append("- ")
    elif tag in CELLS and closing:
        writer.line.append(" ")


def _nest(tag: str, step: int, writer: Writer) -> None:
    if tag == "blockquote":
        writer.quotes = min(max(writer.quotes + step, 0), MAX_QUOTE)
    elif tag == "pre":
        writer.preformatted = max(writer.preformatted + step, 0)
