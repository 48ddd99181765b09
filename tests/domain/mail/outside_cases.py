"""Cases that authors of other mail programs wrote, and the comparison they ask for."""

import html
import json
import unicodedata
from pathlib import Path
from typing import Any

from tests.support.outside import outside


def cases(folder: str) -> list[tuple[str, bytes, dict[str, Any], Path]]:
    """Id, bytes, expectation and file of every case; skips the test when the data is not there."""
    index = outside(f"{folder}/cases.jsonl")
    found = []
    for line in index.read_text("utf-8").splitlines():
        case = json.loads(line)
        file = index.parent / case["raw"]
        found.append((case["id"], file.read_bytes(), case["expected"], file))
    return found


def compared(text: str) -> str:
    """NFKC, HTML references resolved, white space as single blanks."""
    return " ".join(html.unescape(unicodedata.normalize("NFKC", text)).split())
