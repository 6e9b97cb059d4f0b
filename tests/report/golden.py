"""The texts of the report, to the letter."""

LOST = """\
lossless failed: 1 of 3 confirmed messages was lost: delivered, no effect, acked

  published 3 · confirmed 3 · stored 3 · delivered 3 · effects 2 · acked 3 · dead 0 · waiting 0

── pay-2 · lost · delivered, no effect, acked ──────────────────────────────────────────────────────
  key acct-1 · value {"payment_id": "pay-2", "amount": 10}
    -11.5 ms │ publisher   publish, 1st attempt, to payments-0
    -11.1 ms │ publisher   confirmed, stored @1
     -0.5 ms │ worker-1#1  delivered payments-0@1 to billing
     -0.2 ms │ worker-1#1  ack up to payments-0@1 for billing: the broker took it
     -0.2 ms ┊ worker-1#1  booking pay-2, password=<hidden>
      0.0 ms ┿ rule 1      took effect: worker-1 killed after the broker took its ack
     +0.1 ms ■ worker-1#1  crashed: rule 1
    +67.5 ms │ worker-1#2  started
             └             no effect

  times count from the first fault that took effect (rule 1)

── what was broken · seed 7 ────────────────────────────────────────────────────────────────────────
  rule 1   on.ack(topic="payments", nth=2).crash_worker(when="after")
           took effect once
           in life: the process is killed (out of memory, deploy) right after its commit
  broker   embedded Kafka cluster 0.1.0
  clients  aiokafka 0.14.0

  fix      ack only after the work
  replay   pytest "tests/test_payments.py::test_payments[x]" --mqchaos-plan=k1.eJyrVkrLz1
           reproduced 10/10
  history  .mqchaos/last/test_payments/history.jsonl
"""

REPEATED = """\
idempotent failed: 1 of 2 messages took effect more than once

  published 2 · confirmed 2 · stored 2 · delivered 3 · effects 3 · acked 2 · dead 0 · waiting 0

── pay-2 · repeated · redelivered ──────────────────────────────────────────────────────────────────
  delivered 2x (redelivered), effect 2x
  key acct-1 · value {"payment_id": "pay-2", "amount": 10}
    -12.0 ms │ publisher   publish, 1st attempt, to payments-0
    -11.6 ms │ publisher   confirmed, stored @1
     -1.0 ms │ worker-1#1  delivered payments-0@1 to billing
     -0.3 ms │ worker-1#1  effect, value 10
     -0.1 ms │ worker-1#1  ack up to payments-0@1 for billing: refused with error 25
      0.0 ms ┿ rule 1      took effect: the member left the group, its commit went on
   +251.5 ms │ worker-1#1  delivered payments-0@1 to billing, 2nd time
   +252.0 ms │ worker-1#1  EFFECT, 2nd time, value 10
   +252.2 ms │ worker-1#1  ack up to payments-0@1 for billing: the broker took it

  times count from the first fault that took effect (rule 1)

── what was broken ─────────────────────────────────────────────────────────────────────────────────
  rule 1   on.ack(topic="payments", nth=2).redeliver()
           took effect once
           in life: the group rebalances while the commit is on its way: the broker refuses it
  rule 2   on.confirm(nth=9).drop()
           never took effect (optional): 2 matched, none was the one it waits for

  fix      record the processed id in the same transaction as the work
"""

DISORDERED = """\
ordered failed: 1 of 1 key not in the order of publishing: 'pay-2' took effect before 'pay-1'

  published 2 · confirmed 2 · stored 2 · delivered 2 · effects 2 · acked 2 · dead 0 · waiting 0

── pay-1 · out of order · producer ─────────────────────────────────────────────────────────────────
  'pay-2' took effect before 'pay-1': the producer's retry came too late
  pay-1: key acct-1 · value {"payment_id": "pay-1", "amount": 10}
  pay-2: key acct-1 · value {"payment_id": "pay-2", "amount": 10}
     -1.2 ms │ publisher   pay-1: publish, 1st attempt, to payments-0
     -0.2 ms │ publisher   pay-2: publish, 1st attempt, to payments-0
      0.0 ms ┿ rule 1      took effect: refused with error 6, answered when the next had arrived
     +0.3 ms │ publisher   pay-2: confirmed, stored @0
    +48.8 ms │ publisher   pay-1: refused with error 6
    +58.8 ms │ publisher   pay-1: publish, 2nd attempt, to payments-0
    +59.3 ms │ publisher   pay-1: confirmed, stored @1
    +68.8 ms │ worker-1#1  pay-2: delivered payments-0@0 to billing
    +68.8 ms │ worker-1#1  pay-1: delivered payments-0@1 to billing
    +69.8 ms │ worker-1#1  pay-2: effect, value 10
    +70.8 ms │ worker-1#1  pay-1: effect, value 10
    +71.8 ms │ worker-1#1  ack up to payments-0@1 for billing: the broker took it

  times count from the first fault that took effect (rule 1)

── what was broken ─────────────────────────────────────────────────────────────────────────────────
  rule 1   on.publish(topic="payments").reorder()
           took effect once
           in life: a leader moves: the refused batch is retried behind one that was in flight
           led to no copy: an idempotent producer sends none
           still held: what was stored stays in order of its offsets
"""

UNKNOWN = """\
lossless is UNKNOWN: 1 of 2 messages still waiting: held for group billing, in which nobody is left

  published 2 · confirmed 2 · stored 2 · delivered 1 · effects 1 · acked 1 · dead 0 · waiting 1

── pay-2 · waiting · stored, never delivered ───────────────────────────────────────────────────────
  key acct-1 · value {"payment_id": "pay-2", "amount": 10}
      0.0 ms │ publisher  publish, 1st attempt, to payments-0
     +0.4 ms │ publisher  confirmed, stored @1
             └            billing stands at @1 of payments-0: still to be read
             └            no effect

  times count from the first row shown: no fault took effect

── what was broken ─────────────────────────────────────────────────────────────────────────────────
  rule 1   on.confirm(topic="payments", nth=9).drop()
           never took effect: 2 matched, none was the one it waits for

  to know  let the worker finish: chaos.settle(timeout=...)
  unseen   link 3 (w) could not be followed: TLS
"""

UNFIRED = """\
1 of 1 rule never took effect, so this test did not show what it says it shows

  published 2 · confirmed 2 · stored 2 · delivered 1 · effects 1 · acked 1 · dead 0 · waiting 1

── what was broken · seed 7 ────────────────────────────────────────────────────────────────────────
  rule 1   on.confirm(topic="payments", nth=9).drop()
           never took effect: 2 matched, none was the one it waits for
  broker   embedded Kafka cluster 0.1.0
  clients  aiokafka 0.14.0

  fix      send more messages, lower nth, or say optional=True where it need not fire
  replay   pytest "tests/test_payments.py::test_payments[x]" --mqchaos-plan=k1.eJyrVkrLz1
           reproduced 10/10
"""

NO_QUESTION = """\
no verdict was asked: this test cannot fail for what it was written for

  published 2 · confirmed 2 · stored 2 · delivered 3 · effects 3 · acked 2 · dead 0 · waiting 0

── what was broken ─────────────────────────────────────────────────────────────────────────────────
  rule 1   on.ack(topic="payments", nth=2).redeliver()
           took effect once
           in life: the group rebalances while the commit is on its way: the broker refuses it
  rule 2   on.confirm(nth=9).drop()
           never took effect (optional): 2 matched, none was the one it waits for

  fix      ask at least one question, e.g. chaos.assert_lossless() or chaos.assert_idempotent(), or
           say own_assertions=True in the mark if the test's own asserts are the question
"""

PASSED = (
    "redelivery: idempotent passed · 1 of 2 rules took effect · 2 confirmed, 3 delivered · "
    "not covered: on.confirm(nth=9).drop() had no effect"
)
