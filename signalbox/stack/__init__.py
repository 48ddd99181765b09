"""The embedded stack: both servers and all services as children of one process."""
