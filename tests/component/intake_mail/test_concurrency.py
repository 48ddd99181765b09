"""Several workers on shuffled threads: no thread is split, nobody waits for ever (decisions 18)."""

import random

import pytest

from tests.component.intake_mail.conftest import Post, mail

THREADS, MAILS = 300, 6


def threads(chance: random.Random) -> list[bytes]:
    """Mails of many threads in any order; each names its parent and the root, as mail programs do."""
    written: list[bytes] = []
    for thread in range(THREADS):
        ids = [f"<{thread}.{n}@threads.example>" for n in range(MAILS)]
        sender = f"customer{thread}@threads.example"
        written.append(mail(f"Thread {thread}", "0", sender=sender, message_id=ids[0]))
        for n in range(1, MAILS):
            parents = ids[: chance.randint(1, n)]
            references = " ".join(dict.fromkeys((ids[0], parents[-1])))
            headers = {"message_id": ids[n], "in_reply_to": parents[-1], "references": references}
            written.append(mail(f"Re: Thread {thread}", str(n), sender=sender, **headers))
    chance.shuffle(written)
    return written


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_H1_four_workers_split_no_thread_and_lock_each_other_out_never(post: Post, seed: int) -> None:
    post.begin_anew()
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = await post.intake.fetch(deadlocks)
    await post.take_in(threads(random.Random(seed)))
    await post.work_off(workers=4, most=50)
    rows = await post.intake.fetch(
        "SELECT regexp_replace(subject, '^Re: ', '') AS thread, count(*) AS tickets,"
        " sum((SELECT count(*) FROM messages WHERE ticket_id = tickets.id)) AS messages"
        " FROM tickets WHERE merged_into IS NULL GROUP BY 1"
    )
    assert len(rows) == THREADS
    assert {(row["tickets"], row["messages"]) for row in rows} == {(1, MAILS)}
    assert await post.ledger() == {"accepted": THREADS, "appended": THREADS * (MAILS - 1)}
    assert await post.intake.fetch(deadlocks) == before
