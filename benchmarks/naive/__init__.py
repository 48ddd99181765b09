"""The same five roles as one would write them first: a handler for each message, an ORM session, a commit each.

The yardstick of `signalbox bench pipeline`: it hears and says the same contracts, decides by the same rules and passes
the same checks. It has no batches, no outbox and no order beyond what one subscriber gives; facts can be lost when a
process dies between its commit and its publishing. Nobody should run it for anything else.
"""
