"""What a template or macro says on a ticket (behaviour N-3)."""

from dataclasses import dataclass

from services.intake.desk import Desk
from services.intake.domain.recipe import Recipe
from services.intake.domain.rights import seen
from services.intake.domain.ticket import Ticket
from services.intake.store import Store
from services.intake.wording import Texts, Wording, values_of


@dataclass(frozen=True, slots=True)
class Speaking:
    """The texts of one step, on a ticket or on none."""

    store: Store
    desk: Desk
    ticket: Ticket | None
    language: str | None
    agent: str | None

    async def response(self, recipe: Recipe) -> str | None:
        """The canned response as it would leave; None without one."""
        responses = self.store.configuration.prepared.responses
        return None if recipe.response is None else (await self.spoken(responses[recipe.response].text)).text

    async def note(self, recipe: Recipe) -> str | None:
        """The note; None without one."""
        notes = self.store.configuration.prepared.notes
        return (await self.spoken(notes[recipe.version])).text if recipe.note else None

    async def spoken(self, text: Texts) -> Wording:
        """A text as it is used."""
        return text.render(*await self._about())

    async def shown(self, text: Texts) -> Wording:
        """A text as it is looked at, with what is missing."""
        return text.preview(*await self._about())

    async def _about(self) -> tuple[str | None, dict[str, object]]:
        ticket = self.ticket
        if ticket is None:
            return self.language, {"custom": {}, "agent": self.agent}
        customer = await self.desk.customer(ticket)
        values = values_of(ticket, customer, self.agent)
        return self.language or ticket.language, values | {"custom": seen(ticket.custom, self.desk.unseen)}
