"""The day is played, scene by scene, and told while it goes on."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from signalbox.demo.clockwork import Clockwork
from signalbox.demo.day import Day, Scene
from signalbox.demo.fact_log import FactLog
from signalbox.demo.gathering import Gathering
from signalbox.demo.player import Player
from signalbox.demo.stage import Stage
from signalbox.demo.teller import Line, Teller


class Performance:
    """One performance of a day on a stage."""

    def __init__(self, day: Day, examples: Path, stage: Stage, console: Console) -> None:
        self._day, self._stage, self._console = day, stage, console
        self._player = Player(examples, stage.office, stage.publishers, stage.smtp_port, stage.outbox)
        self._clockwork = Clockwork(stage.driver, self._look)
        self._facts = FactLog(stage.office)
        self._teller = Teller(stage.outbox)

    async def play(self) -> dict[str, Any]:
        """Play all scenes; the document of everything that happened."""
        await self._clockwork.settle()
        for scene in self._day.scenes:
            await self._play(scene)
        return await Gathering(self._day, self._stage.office, self._player, self._stage.outbox).document()

    async def _play(self, scene: Scene) -> None:
        await self._clockwork.advance_to(self._day.instant(scene.at))
        self._console.print(f"\n[bold]{scene.at}[/bold]  {escape(scene.title)}", highlight=False)
        for step in scene.steps:
            await self._player.play(step.deed)
        if scene.steps:
            await self._clockwork.settle()

    async def _look(self) -> None:
        facts = await self._facts.news()
        self._player.heard(facts)
        for line in self._teller.tell(facts):
            self._print(line)

    def _print(self, line: Line) -> None:
        text = f"  {self._day.moment(line.at)}  {line.ticket:>8}  {line.text}"
        self._console.print(text, style=line.tone, markup=False, highlight=False, overflow="ellipsis", no_wrap=True)
