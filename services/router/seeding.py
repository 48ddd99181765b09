"""An empty router takes its agents and queues from agents.yaml, once (decisions 15)."""

from libs.chassis.transaction import Transaction
from libs.contracts.routing import AgentChanged, QueueChanged
from services.router.assignment.floor import Agent, Queue
from services.router.configuration import RouterConfiguration
from services.router.store import Store


async def seed_if_empty(transaction: Transaction) -> None:
    """Fill an empty router and say so; nothing happens to one that has queues."""
    store = Store(transaction)
    if not await store.claim_empty():
        return
    configuration: RouterConfiguration = transaction.config.parsed
    for queue in configuration.roster.places():
        await store.save_queue(queue)
        say_queue(transaction, queue)
    for agent in configuration.roster.people():
        await store.save_agent(agent)
        say_agent(transaction, agent)


def say_agent(transaction: Transaction, agent: Agent, actor: str | None = None) -> None:
    """Say how an agent is now."""
    said = AgentChanged(
        key=agent.key,
        name=agent.name,
        email=agent.email,
        skills=tuple(sorted(agent.skills)),
        queues=tuple(sorted(agent.queues)),
        active=agent.active,
        presence=agent.presence,
    )
    transaction.say(said, f"agent:{agent.key}", actor=actor)


def say_queue(transaction: Transaction, queue: Queue, actor: str | None = None) -> None:
    """Say how a queue is now."""
    said = QueueChanged(key=queue.key, name=queue.name, lead=queue.lead, schedule=queue.schedule, active=queue.active)
    transaction.say(said, f"queue:{queue.key}", actor=actor)
