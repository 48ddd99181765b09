"""What a person wrote or was told, on tickets of others too, taking part in them or not (decisions 21)."""

BY_PERSON = """
SELECT id FROM messages
WHERE author = ANY($1::text[]) AND ticket_id IN (SELECT ticket_id FROM participants WHERE email = ANY($2::text[]))
UNION
SELECT id FROM messages WHERE author = ANY($1::text[]) AND visibility = 'unverified'
UNION
SELECT id FROM messages WHERE id = ANY($3::text[]) AND (author IS NULL OR author = ANY($1::text[]))
"""
"""Ids of messages. $1: the person's records; $2: their addresses; $3: what their mails became, or were refused by, as
far as receipts still know. What is held makes nobody take part: an index has it. What a machine answered has no author
but the one of its receipt.
"""
