"""Intake owns tickets: conversations, mails and requests become tickets, messages and facts about them."""
