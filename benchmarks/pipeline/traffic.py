"""The conversations of the load: what people write to the chat of a shop."""

from dataclasses import dataclass
from random import Random

from libs.contracts.conversation import ConversationEvent, ConversationMessageAdded, Role, TicketRequested

SOURCE = "chat"
SUBJECTS = (
    "Refund for order {order}",
    "Where is my parcel {order}?",
    "Invoice {order} has the wrong address",
    "Cannot log in since this morning",
    "Error {order} when I pay",
    "Rechnung {order} stimmt nicht",
    "Wo bleibt meine Lieferung {order}?",
    "The lamp of order {order} flickers",
    "Question about pricing for {order} pieces",
    "Thank you, and one wish",
    "The app is down again",
    "Changing the delivery date of {order}",
)
SENTENCES = (
    "I ordered it two weeks ago and the confirmation came at once.",
    "Since then I have not heard anything and the page shows the same as on the first day.",
    "I have tried it on my phone and on the computer, with the same result.",
    "The number on the box is not the one on the delivery note.",
    "Could you please tell me what to do next?",
    "It is a present, so it would be good to have it before the weekend.",
    "Ich habe es schon zweimal versucht, leider ohne Erfolg.",
    "The assistant in the chat could not help me and offered a person instead.",
    "My address has changed in the meantime, the new one is in my account.",
    "I can send a picture if that helps.",
)
TIERS = (None, None, None, None, "plus", "vip")


@dataclass(frozen=True, slots=True)
class Conversation:
    """One chat that becomes a ticket: the customer's message, then somebody asks for a ticket."""

    id: str
    events: tuple[ConversationEvent, ...]


def conversation(run: str, number: int) -> Conversation:
    """The conversation `number` of a run; the same for the same arguments."""
    random = Random(f"{run}/{number}")
    id = f"{run}-{number}"
    order = random.randrange(10_000, 99_999)
    text = " ".join(random.choices(SENTENCES, k=random.randint(3, 9)))
    message = ConversationMessageAdded(conversation_id=id, seq=1, role=Role.CUSTOMER, text=text)
    request = TicketRequested(
        conversation_id=id,
        subject=random.choice(SUBJECTS).format(order=order),
        reason="The customer asks for a person",
        name=f"Customer {number}",
        email=f"customer.{run}.{number}@example.com",
        custom={"order": str(order)},
    )
    return Conversation(id, (message, request))
