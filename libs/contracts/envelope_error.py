"""What is wrong with an envelope."""


class EnvelopeError(ValueError):
    """Not a CloudEvent: `attribute` names the part at fault, `reason` says what is wrong with it.

    `index` is the position in a batch, counted from 0.
    """

    def __init__(self, attribute: str, reason: str, index: int | None = None) -> None:
        self.attribute, self.reason, self.index = attribute, reason, index
        where = attribute if index is None else f"event {index}: {attribute}"
        super().__init__(f"{where}: {reason}")

    def at(self, index: int) -> "EnvelopeError":
        """The same fault, of the event at `index` of a batch."""
        return EnvelopeError(self.attribute, self.reason, index)
