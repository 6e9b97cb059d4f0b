"""Runs written by hand, small enough to be read: what the report's golden texts are made of."""

from pytest_mqchaos.history.history import Flow, History
from pytest_mqchaos.history.rows import (
    Ack,
    Attempt,
    Delivery,
    Effect,
    Place,
    ProcessEvent,
    RuleEvent,
    RuleState,
    Stored,
)

MS = 1_000_000
T = 5_000 * MS  # when the run began


def value(name, amount=10):
    return b'{"payment_id": "%s", "amount": %d}' % (name.encode(), amount)


class Run:
    """Collects rows; `ms` counts from the start of the run, seq is the order of calls."""

    def __init__(self):
        self.seq, self.rows = 0, {"processes": [], "rule_events": []}
        self.options = {"flow": Flow(inputs=frozenset({"payments"}))}

    def add(self, name, row):
        self.rows.setdefault(name, []).append(row)

    def step(self):
        self.seq += 1
        return self.seq

    def attempt(self, ms, name, *, end=None, outcome="confirmed", offset=-1, error=0, **given):
        seq = self.step()
        end_seq = self.step() if end is not None else 0
        end_t = T + int(end * MS) if end is not None else 0
        row = Attempt(
            seq=seq,
            t=T + int(ms * MS),
            link=1,
            owner="publisher",
            client="aiokafka",
            topic=given.get("topic", "payments"),
            partition=0,
            id=name,
            key=b"acct-1",
            value=given.get("value", value(name)),
            content=name.encode(),
            acks=given.get("acks", -1),
            reached=given.get("reached", True),
            outcome=outcome,
            end_seq=end_seq,
            end_t=end_t,
            offset=offset,
            error=error,
            producer_id=-1,
            sequence=-1,
            transactional_id=None,
        )
        self.add("attempts", row)

    def stored(self, offset, name, topic="payments"):
        row = Stored(
            topic=topic,
            partition=0,
            offset=offset,
            id=name,
            key=b"acct-1",
            value=value(name),
            content=name.encode(),
        )
        self.add("stored", row)

    def deliver(self, ms, offset, name, *, owner="worker-1#1", reached=True):
        row = Delivery(
            seq=self.step(),
            t=T + int(ms * MS),
            link=2,
            owner=owner,
            group="billing",
            topic="payments",
            partition=0,
            offset=offset,
            id=name,
            key=b"acct-1",
            value=value(name),
            content=name.encode(),
            reached=reached,
        )
        self.add("deliveries", row)

    def ack(self, ms, offset, *, owner="worker-1#1", outcome="confirmed", reached=True, error=0):
        row = Ack(
            seq=self.step(),
            t=T + int(ms * MS),
            link=3,
            owner=owner,
            group="billing",
            member="m",
            topic="payments",
            partition=0,
            offset=offset,
            reached=reached,
            outcome=outcome,
            end_seq=0,
            end_t=0,
            error=error,
        )
        self.add("acks", row)

    def effect(self, ms, name, *, before=0.0, owner="worker-1#1", amount=10, **given):
        t = T + int(ms * MS) if ms is not None else 0
        row = Effect(
            order=len(self.rows.get("effects", [])),
            t_from=t - int(before * MS) if t else 0,
            t_to=t,
            id=name,
            part=given.get("part"),
            by=given.get("by"),
            key="acct-1",
            value=amount,
            owner=owner,
            posthumous=given.get("posthumous", False),
            countable=True,
            gone=given.get("gone", False),
        )
        self.add("effects", row)

    def place(self, committed, end, active=1):
        self.add("places", Place("billing", "payments", 0, committed, 0, end, active))

    def process(self, ms, who, what, cause=""):
        self.add("processes", ProcessEvent(T + int(ms * MS), who, what, cause))

    def fault(self, ms, note, rule=0, what="took effect"):
        self.add("rule_events", RuleEvent(self.step(), T + int(ms * MS), rule, what, note))

    def rule(self, source, cause="", *, fired=1, matched=1, optional=False, reasons=()):
        row = RuleState(
            source=source,
            cause=cause,
            fired=fired,
            matched=matched,
            optional=optional,
            reasons=reasons,
        )
        self.add("rules", row)

    def history(self, **options):
        rows = {name: tuple(each) for name, each in self.rows.items()}
        return History(started=T, **{"effects": (), **rows, **self.options, **options})


def lost():
    """Ack before work: the worker acked pay-2 and was killed before it booked it."""
    run = Run()
    run.rule(
        'on.ack(topic="payments", nth=2).crash_worker(when="after")',
        "the process is killed (out of memory, deploy) right after its commit",
    )
    for n in range(3):
        name = f"pay-{n + 1}"
        run.attempt(n, name, end=n + 0.4, offset=n)
        run.stored(n, name)
    run.deliver(10.0, 0, "pay-1")
    run.ack(10.2, 1)
    run.effect(11.0, "pay-1")
    run.deliver(12.0, 1, "pay-2")
    run.ack(12.25, 2)
    run.fault(12.5, "worker-1 killed after the broker took its ack")
    run.process(12.6, "worker-1#1", "crashed", "rule 1")
    run.process(80.0, "worker-1#2", "started")
    run.deliver(120.0, 2, "pay-3", owner="worker-1#2")
    run.ack(120.2, 3, owner="worker-1#2")
    run.effect(121.0, "pay-3", owner="worker-1#2")
    run.process(300.0, "worker-1#2", "stopped")
    run.place(3, 3)
    return run


def repeated():
    """A lost commit and an eviction: pay-2 came twice and was booked twice."""
    run = Run()
    run.rule(
        'on.ack(topic="payments", nth=2).redeliver()',
        "the group rebalances while the commit is on its way: the broker refuses it",
    )
    run.rule("on.confirm(nth=9).drop()", fired=0, matched=2, optional=True)
    for n in range(2):
        run.attempt(n, f"pay-{n + 1}", end=n + 0.4, offset=n)
        run.stored(n, f"pay-{n + 1}")
    run.deliver(10.0, 0, "pay-1")
    run.effect(10.6, "pay-1")
    run.ack(10.8, 1)
    run.deliver(12.0, 1, "pay-2")
    run.effect(12.7, "pay-2")
    run.fault(13.0, "the member left the group, its commit went on")
    run.ack(12.95, 2, outcome="refused", error=25)
    run.deliver(264.5, 1, "pay-2")
    run.effect(265.0, "pay-2")
    run.ack(265.2, 2)
    run.place(2, 2)
    return run


def disordered():
    """pay-1 was refused and its retry landed behind pay-2."""
    run = Run()
    run.rule(
        'on.publish(topic="payments").reorder()',
        "a leader moves: the refused batch is retried behind one that was in flight",
    )
    run.attempt(0, "pay-1", end=50, outcome="refused", error=6)
    run.attempt(1, "pay-2", end=1.5, offset=0)
    run.fault(1.2, "refused with error 6, answered when the next had arrived")
    run.attempt(60, "pay-1", end=60.5, offset=1)
    run.stored(0, "pay-2")
    run.stored(1, "pay-1")
    run.deliver(70, 0, "pay-2")
    run.deliver(70, 1, "pay-1")
    run.effect(71, "pay-2")
    run.effect(72, "pay-1")
    run.ack(73, 2)
    run.place(2, 2)
    return run


def stuck():
    """Nobody is left to take pay-2; the only rule never found what it waited for."""
    run = Run()
    run.rule('on.confirm(topic="payments", nth=9).drop()', fired=0, matched=2)
    for n in range(2):
        run.attempt(n, f"pay-{n + 1}", end=n + 0.4, offset=n)
        run.stored(n, f"pay-{n + 1}")
    run.deliver(10, 0, "pay-1")
    run.effect(11, "pay-1", before=2.5)
    run.ack(12, 1)
    run.place(1, 2, active=0)
    return run
