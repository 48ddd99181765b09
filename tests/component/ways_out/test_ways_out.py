"""What is private, by every way out: a kind of text, a way, and its word that must not be there.

Notes and held and suspended mail are for nobody outside; another customer's words are not for whom the ticket is for.
Each way has something of hers or ours, so that an empty answer proves nothing.
"""

from collections.abc import Iterable

import pytest

from libs.chassis.tokens import Role
from tests.component.provisioning.broker import connected
from tests.component.ways_out import ways
from tests.component.ways_out.story import ADA, BOB, EVE, HELD, HERS, MALLORY, NOTE, OTHER, OURS, SUSPENDED, Story
from tests.component.ways_out.ways import Way

OUT: tuple[Way, ...] = (
    *(ways.mails, ways.chat, ways.programs, ways.reports, ways.her_export),
    *(ways.messages_export, ways.facts, ways.repair),
)
TO_HER: tuple[Way, ...] = (ways.mails_to_her, ways.chat, ways.her_export)
SHOWS: dict[Way, str] = {ways.reports: "as_of", ways.chat: "acknowledgment", ways.mails: OURS, ways.mails_to_her: OURS}
"""What is there for certain; on every other way what she wrote."""


def each(found: Iterable[Way]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("way", found, ids=lambda way: way.__name__)


async def lacks(story: Story, way: Way, word: str) -> None:
    """No text of this way has the word, in whatever case; and there are texts."""
    found = await way(story)
    assert any(SHOWS.get(way, HERS) in text for text in found)
    assert [text for text in found if word in text.lower()] == []


@each(OUT)
async def test_N1_no_way_out_has_a_word_of_a_note(story: Story, way: Way) -> None:
    await lacks(story, way, NOTE)


@each(OUT)
async def test_H2_no_way_out_has_a_word_that_is_held(story: Story, way: Way) -> None:
    await lacks(story, way, HELD)


@each((*OUT, ways.tickets))
async def test_E1_no_way_out_has_a_word_of_a_suspended_mail(story: Story, way: Way) -> None:
    """Not even an agent finds it on the ticket that it wanted to go to."""
    await lacks(story, way, SUSPENDED)


@each(TO_HER)
async def test_M3_no_way_to_a_customer_has_a_word_of_another_whose_ticket_was_merged(story: Story, way: Way) -> None:
    await lacks(story, way, OTHER)


async def test_N1_agents_read_what_programs_do_not(story: Story) -> None:
    """The words are where they were put: none of the above is empty for lack of them."""
    shown = "".join(await ways.tickets(story))
    assert [word in shown for word in (NOTE, HELD, OTHER, HERS)] == [True] * 4
    waiting = await story.desk.read(Role.AGENT, *(f"/v1/suspended-mail/{id}" for id in story.suspended))
    assert all(SUSPENDED in text for text in waiting)
    assert [bool(story.desk.mails(customer)) for customer in (ADA, BOB, EVE, MALLORY)] == [True, True, False, False]


async def test_M3_a_copy_of_an_answer_has_no_word_that_the_customer_wrote(story: Story) -> None:
    copies = await ways.mails_to(story, BOB)
    assert any("Still waiting." in text for text in copies)
    assert [text for text in copies if HERS in text] == []


@pytest.mark.parametrize("word", [NOTE, HELD, SUSPENDED])
async def test_N1_H2_E1_who_may_not_read_it_does_not_find_it(story: Story, word: str) -> None:
    for words in (word, f"{word[:5]}*", f'"{word} by hand"'):
        assert await ways.search(story, Role.SYSTEM, words) == []
    by_agent = await ways.search(story, Role.AGENT, word)
    assert sorted(by_agent) == (sorted([story.ticket, story.chat]) if word == NOTE else [])
    assert story.ticket in await ways.search(story, Role.SYSTEM, HERS)


async def test_N1_what_a_program_leaves_out_of_a_search_tells_nothing_either(story: Story) -> None:
    assert story.ticket in await ways.search(story, Role.SYSTEM, f"{HERS} -{NOTE}")
    assert story.ticket not in await ways.search(story, Role.AGENT, f"{HERS} -{NOTE}")


async def test_H2_a_program_gets_no_file_of_what_is_held(story: Story) -> None:
    path = f"/v1/attachments/{story.held}.0"
    async with story.desk.client("intake", Role.SYSTEM) as program, story.desk.client("intake", Role.AGENT) as agent:
        assert (await agent.get(path)).content.decode().strip() == HELD
        assert (await program.get(path)).status_code == 404


async def test_E1_a_token_for_tickets_reads_no_mail_that_waits_and_no_export(story: Story) -> None:
    paths = [
        *(f"/v1/{kind}/{id}" for id in story.suspended for kind in ("suspended-mail", "mail")),
        *("/v1/suspended-mail", "/v1/export/messages", f"/v1/customers/{story.customer}/export"),
    ]
    for role in Role:
        async with story.desk.client("intake", role, "tickets:read") as client:
            assert {(await client.get(path)).status_code for path in paths} == {403}


async def test_N1_exports_are_for_leads_and_of_people_for_admins(story: Story) -> None:
    person = f"/v1/customers/{story.customer}/export"
    for role, path in ((Role.AGENT, "/v1/export/messages"), *((role, person) for role in Role if role != Role.ADMIN)):
        async with story.desk.client("intake", role) as client:
            assert (await client.get(path)).status_code == 403


async def test_H2_an_export_says_that_something_is_held_and_not_what(story: Story) -> None:
    lines = [line for line in await ways.messages_export(story) if '"held":true' in line]
    assert len(lines) == 2
    assert all('"text":""' in line for line in lines)


async def test_N1_a_source_of_conversations_hears_no_fact(story: Story) -> None:
    async with connected(story.desk.stack.nats, "shop") as shop:
        for subject in ("tickets.>", "notices.>", "routing.>", "conversations.>", ">"):
            assert await shop.may_not_listen(subject)
        for subject in ("$JS.API.STREAM.MSG.GET.FACTS", "$JS.API.CONSUMER.CREATE.FACTS", "$JS.API.DIRECT.GET.FACTS"):
            assert await shop.is_denied(subject)


async def test_M3_facts_about_a_ticket_have_no_word_of_another_customer_but_in_his_public_messages(
    story: Story,
) -> None:
    found = [text for text in await ways.facts(story) if story.ticket in text and OTHER in text]
    assert all("signalbox.ticket.message-added.v1" in text or "signalbox.ticket.opened.v1" in text for text in found)
    assert not any(f"'ce-subject': '{story.ticket}'" in text for text in found if "ticket.opened.v1" in text)
