"""What the environment tells a command of the administrator: every fault at once, secrets also from files."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from libs.chassis.errors import Fault, SettingsError


class Environment:
    """Reads variables and remembers what is wrong; `check` raises SettingsError with all of it.

    A secret NAME may be given as a file by NAME_FILE. An empty variable counts as not set.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables
        self._faults: list[Fault] = []

    def text(self, name: str, default: str | None = None) -> str:
        """A variable; without a default it must be set."""
        value = self._variables.get(name) or default
        if value is None:
            self.fault(name, "is missing")
        return value or ""

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list, separated by commas."""
        return tuple(word.strip() for word in self.text(name, ",".join(default)).split(",") if word.strip())

    def choice(self, name: str, default: int, allowed: tuple[int, ...]) -> int:
        """One of the allowed numbers."""
        value = self.text(name, str(default))
        if value not in map(str, allowed):
            self.fault(name, f"{value} is not possible", ", ".join(map(str, allowed)))
            return default
        return int(value)

    def secret(self, name: str) -> str:
        """A secret from NAME or from the file that NAME_FILE names."""
        value, path = self._variables.get(name), self._variables.get(f"{name}_FILE")
        if value and path:
            self.fault(f"{name}_FILE", f"is set beside {name}", "one of the two")
        elif path:
            value = self._content(f"{name}_FILE", Path(path))
        elif not value:
            self.fault(name, "is missing", f"a secret; or a file of it by {name}_FILE")
        return value or ""

    def address(self, name: str, *schemes: str, secret: bool = False) -> str:
        """A URL, or several by comma, each beginning with one of the schemes."""
        value = self.secret(name) if secret else self.text(name)
        if value and not all(urlsplit(each).scheme in schemes for each in value.split(",")):
            self.fault(name, "is not a URL of the right kind", " or ".join(f"{scheme}://" for scheme in schemes))
        return value

    def fault(self, name: str, reason: str, allowed: str = "") -> None:
        """Remember that a variable is wrong."""
        self._faults.append(Fault(name, reason, allowed))

    def check(self) -> None:
        """SettingsError if anything was wrong."""
        if self._faults:
            raise SettingsError(self._faults)

    def _content(self, name: str, path: Path) -> str:
        try:
            content = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not text"
            self.fault(name, f"{path}: {reason}", "a readable text file")
            return ""
        if not content:
            self.fault(name, f"{path}: is empty")
        return content
