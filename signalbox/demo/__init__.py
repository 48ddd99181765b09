"""`signalbox demo`: a day of support on simulated time, from `examples/`, told by what the APIs say."""

from signalbox.demo.command import app

__all__ = ["app"]
