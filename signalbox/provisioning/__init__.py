"""What has to be there before a service starts: roles, schemas, streams, consumers, users and their rights.

Services never make any of it themselves: they may not. It is made by `signalbox migrate`, as often as one likes.
"""
