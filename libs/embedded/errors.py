"""What can go wrong with the embedded servers.

    EmbeddedError
    ├── FolderInUse    another stack holds the data folder
    ├── WrongServer    something answers, but it is not the server of this data folder
    ├── CannotRun      the binaries, the user or the folders do not allow a start
    └── NotReady       the server did not come up in time, or ended
        └── TryAgain   it did not come up for a reason that passes (a port taken, an old process still leaving)

Every message is one line fit for a person, followed at most by the last lines of the server's log.
"""


class EmbeddedError(RuntimeError):
    """Any failure of the embedded servers."""


class FolderInUse(EmbeddedError):
    """Another process holds the lock of the data folder."""


class WrongServer(EmbeddedError):
    """The server that answers does not carry this data folder's identity."""


class CannotRun(EmbeddedError):
    """The start is impossible until a person changes something; the message says what."""


class NotReady(EmbeddedError):
    """The server ended, or was not ready within its deadline."""


class TryAgain(NotReady):
    """The server did not start for a reason that passes by itself."""
