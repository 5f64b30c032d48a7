"""What happens in one small world: people, accidents, and in the end quiet, in which all must agree."""

from __future__ import annotations

from collections import Counter

from zchat.client.events import Gap

from .people import WANTED, Person
from .promises import Promises
from .world import World

ROOMS = ("lobby", "deck", "hold")
PEOPLE = ("ann", "ben", "cy", "dot")
STEPS = 300
"""Steps of a run at the least; then everything is mended and must come to agree."""


class Script:
    """One run of one seed. Even seeds crash the broker between commit and reply."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        self.dice = self.world.dice
        self.people = [Person(self.world, name) for name in PEOPLE]
        self.promises = Promises(self.world, self.people)
        self.crashing = seed % 2 == 0
        self._overdue = self.dice.randint(STEPS // 5, STEPS // 2)  # a crash comes by this step
        self.steps = 0
        for person in self.people:
            person.connect()

    @property
    def counts(self) -> Counter[str]:
        """What came up in this run."""
        return self.world.counts

    def run(self) -> None:
        """The whole of it. Raises `AssertionError` where a promise is broken."""
        for step in range(STEPS):
            self._step()
            if step % 60 == 59:
                self.promises.hold_now()
        self._mend()
        self.world.count()
        for person in self.promises.everybody:
            self.counts["gaps repaired"] += person.session.streams.repaired
            self.counts["explicit gaps"] += sum(isinstance(item, Gap) for item in person.seen)
        self.promises.hold_in_the_end()

    # Accidents.

    def _step(self) -> None:
        self.steps += 1
        dice, world = self.dice, self.world
        doings = (
            "act", "carry", "turn", "time", "drop", "cut", "stall", "crash", "start", "trim", "snapshot",
        )  # fmt: skip
        weights = (30, 40, 18, 10, 4, 2, 2, 0.4, 3, 0.7, 0.5)
        match dice.choices(doings, weights)[0]:
            case "act":
                for _ in range(dice.randint(1, 4)):
                    person = dice.choice(self.people)
                    person.act(ROOMS, [*PEOPLE, *WANTED])
            case "carry":
                for _ in range(dice.randint(1, 12)):
                    self._carry()
            case "turn" if world.broker is not None:
                world.turn(lose=self.crashing and (self._crash_is_due or dice.random() < 0.05))
            case "time":
                world.advance(dice.choice((1, 20, 200, 2_000)))
            case "drop":
                self._drop()
            case "cut":
                link = dice.choice(self.people).link
                if link is not None:
                    world.cut(link)
            case "stall":
                link = dice.choice(self.people).link
                if link is not None:
                    link.stalled = not link.stalled
            case "crash" if world.broker is not None:
                world.crash()
            case "start" if world.broker is None:
                world.start()
            case "trim" if world.broker is not None:
                world.trim(dice.choice(ROOMS))
            case "snapshot" if world.broker is not None:
                world.snapshot()
        self._attend()

    @property
    def _crash_is_due(self) -> bool:
        crashed = self.counts["crashes between commit and reply"]
        return not crashed and self.steps >= self._overdue

    def _attend(self) -> None:
        """Everybody's shell does its part, some applications without reading."""
        for person in self.people:
            if person.session.closed is not None:
                self._return(person)
            person.connect()
            person.tick()
            person.flush(take=self.dice.random() < 0.8)

    def _return(self, person: Person) -> None:
        """Somebody whose session has ended for good comes back as somebody new."""
        self.promises.retire(person)
        again = Person(self.world, f"{person.name[:3]}{self.counts['newcomers']}")
        self.counts["newcomers"] += 1
        self.people[self.people.index(person)] = again

    def _carry(self) -> None:
        """One frame of one link arrives, if there is one."""
        world = self.world
        dice = self.dice
        if world.links and world.broker is not None:
            link = dice.choice(world.links)
            if link.known and not link.alive and dice.random() < 0.2:
                world.notice(link)
            elif link.up and link.known:
                world.carry_up(link)
            elif link.asked and link.known:
                world.carry_asked(link)
        person = dice.choice(self.people)
        link_ = person.link
        if link_ is not None and link_.alive:
            if link_.down and dice.random() < 0.6:
                person.hear()
            elif link_.heard and not link_.stalled and person.session.wants_publications:
                person.listen()
            person.flush(take=dice.random() < 0.8)

    def _drop(self) -> None:
        """A publication is lost on its way, as PUB may."""
        heard = [link.heard for link in self.world.links if link.heard]
        if heard:
            queue = self.dice.choice(heard)
            del queue[self.dice.randrange(len(queue))]
            self.counts["publications lost"] += 1

    # Quiet.

    def _mend(self) -> None:
        """No more accidents: everything arrives, and time passes until nothing is under way."""
        world = self.world
        if world.broker is None:
            world.start()
        for link in world.links:
            link.stalled = False
        for _ in range(400):
            for link in [*world.links]:
                while link.up and link.known:
                    world.carry_up(link)
                while link.asked and link.known:
                    world.carry_asked(link)
                if not link.alive and link.known:
                    world.notice(link)
            world.settle()
            for person in self.people:
                person.connect()
                person.tick()
                person.flush()
                while person.link is not None and person.link.alive and person.link.down:
                    person.hear()
                while person.link is not None and person.link.alive and person.link.heard:
                    person.listen()
                person.flush()
            quiet = all(person.quiet for person in self.people) and not world.broker_busy
            if quiet and all(self.promises.is_current(person) for person in self.people):
                return
            world.advance(100)
        stuck = [person.name for person in self.people if not person.quiet]
        raise AssertionError(f"no quiet after 40 s without accidents; still under way: {stuck}")
