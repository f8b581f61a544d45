"""Engines that see each other once a second stay within one quota together, and use almost all of it."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.rings import Clocks, Ring, endpoint
from vqa_tui.config.endpoint import KeyConfig, Quota
from vqa_tui.domain.quota import RequestSize
from vqa_tui.domain.quota_use import KeyUse
from vqa_tui.domain.ration import EPOCH_S, Sharing
from vqa_tui.engine.keyring import Loan


@dataclass
class Engine:
    ring: Ring
    offset_s: float
    """How long after an epoch begins it looks."""
    size: RequestSize
    look_s: float = 0.0
    """How long a look takes; the next one begins with the epoch after it."""
    seen: int = 0
    look: tuple[float, KeyUse, Sharing] | None = None
    """The one under way: when it ends, and what it saw when it began."""
    taken: list[float] = field(default_factory=list)
    under_way: list[tuple[float, Loan]] = field(default_factory=list)


@dataclass
class Workshop:
    """Engines with one quota. A look sees all that was started until then, by its start."""

    quota: Quota
    sizes: list[RequestSize]
    offsets: list[float]
    looks_s: list[float] = field(default_factory=list)
    clocks: Clocks = field(default_factory=Clocks)
    log: list[tuple[float, int, RequestSize]] = field(default_factory=list)

    def __post_init__(self) -> None:
        used = endpoint(KeyConfig(name="a"), quota=self.quota)
        self.engines = [
            Engine(Ring(used, clocks=self.clocks), offset, size, look_s)
            for offset, size, look_s in zip(
                self.offsets, self.sizes, self.looks_s or [0.0] * len(self.offsets), strict=True
            )
        ]
        for place, engine in enumerate(self.engines):
            engine.ring.count((), Sharing(len(self.engines), place, self.clocks.time, rests=True))

    async def pass_by(self, seconds: int, *, wants: list[bool]) -> None:
        for _second in range(seconds):
            begins = self.clocks.time
            steps = sorted({*(engine.offset_s for engine in self.engines), *(0.05 * n for n in range(20))})
            for step in steps:
                self.clocks.pass_by(begins + step - self.clocks.time)
                for place, engine in enumerate(self.engines):
                    if engine.offset_s == step and engine.look is None:
                        self._begin_look(place, engine)
                    if engine.look is not None and engine.look[0] <= self.clocks.now:
                        self._end_look(engine, *engine.look)
                    self._settle(engine)
                    while wants[place] and (loan := engine.ring.try_borrow(engine.size)) is not None:
                        self.log.append((self.clocks.time, place, engine.size))
                        engine.under_way.append((self.clocks.now + 0.3, loan))
            self.clocks.pass_by(begins + EPOCH_S - self.clocks.time)

    def _begin_look(self, place: int, engine: Engine) -> None:
        news = [(at, size) for n, (at, who, size) in enumerate(self.log) if n >= engine.seen and who != place]
        engine.seen = len(self.log)
        use = KeyUse("a", tuple(news), len(news))
        engine.look = self.clocks.now + engine.look_s, use, Sharing(len(self.engines), place, self.clocks.time)

    def _end_look(self, engine: Engine, _ends: float, use: KeyUse, sharing: Sharing) -> None:
        engine.look = None
        engine.ring.count([use], sharing)

    def _settle(self, engine: Engine) -> None:
        while engine.under_way and engine.under_way[0][0] <= self.clocks.now:
            engine.ring.used(engine.under_way.pop(0)[1], None)

    def most_in_any_minute(self, unit: int) -> int:
        amounts = [(at, size.amounts[unit]) for at, _who, size in self.log]
        return max(sum(n for at, n in amounts if begin <= at <= begin + 60) for begin, _n in amounts)

    def by_engine(self) -> list[int]:
        return [sum(who == place for _at, who, _size in self.log) for place in range(len(self.engines))]


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 40),
    st.lists(st.sampled_from([0.005, 0.02, 0.3, 0.6, 0.85]), min_size=2, max_size=4),
    st.randoms(use_true_random=False),
)
async def test_together_they_never_pass_a_limit(limit: int, offsets: list[float], chance: random.Random) -> None:
    shop = Workshop(Quota(requests_per_minute=limit), [RequestSize()] * len(offsets), offsets)
    for _ in range(4):
        await shop.pass_by(20, wants=[chance.random() < 0.7 for _ in offsets])
    assert not shop.log or shop.most_in_any_minute(0) <= limit


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 60),
    st.lists(
        st.tuples(st.sampled_from([0.005, 0.02, 0.3]), st.sampled_from([0.0, 0.0, 0.5, 0.9, 1.2, 1.5, 1.8, 2.5])),
        min_size=2,
        max_size=4,
    ),
    st.booleans(),
    st.randoms(use_true_random=False),
)
async def test_however_long_they_look_they_never_pass_a_limit_together(
    limit: int, engines: list[tuple[float, float]], odd: bool, chance: random.Random
) -> None:
    offsets, looks_s = [offset for offset, _look_s in engines], [look_s for _offset, look_s in engines]
    shop = Workshop(Quota(requests_per_minute=limit), [RequestSize()] * len(engines), offsets, looks_s)
    shop.clocks.pass_by(EPOCH_S * odd)
    for _ in range(20):
        for engine in shop.engines:
            engine.look_s = chance.choice([*looks_s, engine.look_s])
        await shop.pass_by(chance.randint(1, 12), wants=[chance.random() < 0.7 for _ in engines])
    assert not shop.log or shop.most_in_any_minute(0) <= limit


@pytest.mark.parametrize("odd", [False, True], ids=["looks in epochs for all", "looks in epochs of one"])
@pytest.mark.parametrize("looks_s", [[1.2, 1.2], [1.7, 0.0], [0.0, 1.7], [1.5, 1.5, 1.5]])
async def test_who_looks_for_longer_than_an_epoch_still_gets_a_share(looks_s: list[float], odd: bool) -> None:
    """A slow disk must not let an engine stand still for as long as another one lives."""
    count = len(looks_s)
    shop = Workshop(Quota(requests_per_minute=60), [RequestSize()] * count, [0.005] * count, looks_s)
    shop.clocks.pass_by(EPOCH_S * odd)
    await shop.pass_by(600, wants=[True] * count)
    assert shop.most_in_any_minute(0) <= 60
    assert min(shop.by_engine()) >= 60 and sum(shop.by_engine()) >= 300, shop.by_engine()


async def test_a_look_that_takes_too_long_for_any_share_is_told() -> None:
    clocks = Clocks()
    ring = Ring(endpoint(KeyConfig(name="a"), quota=Quota(requests_per_minute=10)), clocks=clocks)
    began = clocks.time
    clocks.pass_by(2.5)
    ring.count((), Sharing(2, 0, began))
    assert ring.try_borrow() is None
    free = ring.next_free()
    assert free is not None and "takes longer than a share lasts" in free[2]


async def test_both_get_as_much_and_together_almost_all() -> None:
    shop = Workshop(Quota(requests_per_minute=60), [RequestSize()] * 2, [0.005, 0.02])
    await shop.pass_by(600, wants=[True, True])
    assert shop.most_in_any_minute(0) <= 60
    one, two = shop.by_engine()
    assert one + two >= 0.95 * 600 and abs(one - two) <= 0.3 * (one + two)


async def test_one_takes_what_the_other_does_not_want() -> None:
    shop = Workshop(Quota(requests_per_minute=60), [RequestSize()] * 2, [0.005, 0.02])
    await shop.pass_by(600, wants=[True, False])
    assert shop.by_engine()[0] >= 0.9 * 600


@pytest.mark.parametrize("quota", [Quota(requests_per_minute=1), Quota(tokens_per_minute=1000)])
async def test_a_request_that_no_part_has_room_for_gets_its_turn(quota: Quota) -> None:
    shop = Workshop(quota, [RequestSize(400, 300)] * 2, [0.005, 0.02])
    await shop.pass_by(600, wants=[True, True])
    assert sum(shop.by_engine()) >= 9 and min(shop.by_engine()) >= 1
    assert shop.most_in_any_minute(0) <= 1


async def test_a_day_is_shared_as_well() -> None:
    shop = Workshop(Quota(requests_per_day=25), [RequestSize()] * 2, [0.005, 0.6])
    await shop.pass_by(20, wants=[True, True])
    assert sum(shop.by_engine()) == 25


async def test_nobody_takes_anything_before_all_know_of_each_other_or_without_a_look_and_alone_one_takes_all() -> None:
    clocks = Clocks()
    ring = Ring(endpoint(KeyConfig(name="a"), quota=Quota(requests_per_minute=10)), clocks=clocks)
    ring.count((), Sharing(2, 0, clocks.time, rests=True))
    assert ring.try_borrow() is None
    free = ring.next_free()
    assert free is not None and 0 < free[1] <= EPOCH_S and "several runs" in free[2]
    ring.count((), Sharing(2, 0, clocks.time))
    assert len([loan for _ in range(10) if (loan := ring.try_borrow()) is not None]) == 5
    clocks.pass_by(1)
    assert ring.try_borrow() is None
    ring.count((), Sharing(1, 0, clocks.time))
    assert len([loan for _ in range(10) if (loan := ring.try_borrow()) is not None]) == 5
