"""How stories about mail begin."""

from libs.contracts.ticket import MessageKind
from services.intake.domain.appending import reply
from services.intake.domain.changing import change
from services.intake.domain.decision import By
from services.intake.domain.message import Message
from services.intake.store import Store
from tests.component.intake_mail.conftest import Post, mail

MIRA = By.agent_named("mira")


async def opened(post: Post, name: str = "root", **headers: str) -> str:
    """The ticket of a new mail with the Message-ID `<name@customer.example>`."""
    (receipt,) = await post.deliver(mail(message_id=f"<{name}@customer.example>", **headers))
    assert receipt["disposition"] == "accepted"
    return str(receipt["ticket_id"])


async def become(post: Post, ticket: str, *statuses: str) -> None:
    """An agent changes the status."""
    for status in statuses:
        async with post.intake.transactions.begin() as transaction:
            store = Store(transaction)
            before = (await store.tickets([ticket]))[ticket]
            await store.save([change(before, {"status": status}, store.statuses, transaction.now, MIRA)])


async def answered(post: Post, ticket: str, submit_as: str | None = None) -> str:
    """An agent answers; the id of the message."""
    async with post.intake.transactions.begin() as transaction:
        store = Store(transaction)
        before = (await store.tickets([ticket]))[ticket]
        message = Message(store.identities.new(), MessageKind.AGENT, "Try", transaction.now, "email", author="mira")
        await store.save([reply(before, message, submit_as, store.statuses, transaction.now, MIRA)])
    return message.id
