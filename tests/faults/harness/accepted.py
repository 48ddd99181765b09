"""What the system has said it accepted, noted by those it said it to."""

from dataclasses import dataclass, field


@dataclass
class Chat:
    """A conversation. messages: text by seq of those the broker confirmed; asked: whether a ticket was asked for."""

    id: str
    email: str
    messages: dict[int, str] = field(default_factory=dict)
    asked: bool = False


@dataclass(frozen=True)
class Mail:
    """A mail that was answered by 250, perhaps more than once. `mark` is in its subject and nowhere else."""

    mark: str
    message_id: str
    sender: str


@dataclass(frozen=True)
class Reply:
    """An agent's answer that got a 2xx. `mark` is in its text and nowhere else."""

    mark: str
    ticket: str
    message_id: str


@dataclass
class Accepted:
    """All of it. `resends`: how often somebody had to ask again because no answer came."""

    chats: list[Chat] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    resends: int = 0

    @property
    def facts(self) -> int:
        """How many single things were accepted."""
        asked = sum(chat.asked for chat in self.chats)
        return sum(len(chat.messages) for chat in self.chats) + asked + len(self.mails) + len(self.replies)

    def add(self, other: "Accepted") -> None:
        """What others were told as well."""
        self.chats += other.chats
        self.mails += other.mails
        self.replies += other.replies
        self.resends += other.resends
