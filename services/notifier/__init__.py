"""The notifier owns what was said to whom: acknowledgments, replies, warnings, by mail and by chat."""
