"""kill -9 at random moments under load, and what must be true afterwards: what all systems have in common.

A Story is one system: who asks for what, and what must be true of the node in the end. People ask under idempotency keys. The node
is killed, started again, and half of those who got no answer ask again under the same key. In the end every key answers as it did,
what the story says is true, also after a stop and a start, and `crema verify` is clean.
"""

import collections
import dataclasses
import random
import threading

import requests

from crema import id_of, run

RECENT = 300
REPLAYED_MAX = 3000


@dataclasses.dataclass
class Asked:
    """One request under a key, as its sender knows it."""

    method: str
    path: str
    body: dict
    key: str
    usual: set  # the statuses that are no surprise
    status: int | None = None
    answer: tuple | None = None  # status, Location and body, as soon as it was answered 2xx

    def ask(self, session, base):
        reply = session.request(self.method, base + self.path, json=self.body, headers={"Idempotency-Key": self.key}, timeout=30)
        self.status = reply.status_code
        if reply.ok:
            said = reply.status_code, reply.headers.get("Location"), reply.json()
            assert self.answer in (None, said), f"key {self.key} has another answer now: {said} instead of {self.answer}"
            self.answer = said
        else:
            assert self.answer is None, f"key {self.key} is refused now: {reply.text}"
        return reply

    def made(self):
        return id_of(self.answer[1])


class Person:
    """One thread's way to the node."""

    def __init__(self, load, number, rng):
        self.load, self.story, self.number, self.rng = load, load.story, number, rng
        self.session, self.count = requests.Session(), 0

    def send(self, method, path, body, usual):
        """A request under a key of its own."""
        self.count += 1
        asked = Asked(method, path, body, f"r{self.load.round}-p{self.number}-{self.count}", usual)
        self.load.asked.append(asked)
        self.note(asked.ask(self.session, self.load.node.base), method, path, usual)
        if asked.status == 201:
            self.story.known.append(asked.made())
        return asked

    def delete(self, path, usual):
        """Without a key: whoever deletes twice wants the same as whoever deletes once."""
        reply = self.session.delete(self.load.node.base + path, timeout=30)
        self.note(reply, "DELETE", path, usual)
        return reply.status_code

    def note(self, reply, method, path, usual):
        if reply.status_code not in usual:
            self.load.odd[f"{method} {path.split('/')[1]} {reply.status_code} {reply.text}"] += 1

    def someone(self):
        """The number of something that was made lately."""
        known = self.story.known
        if not known:
            threading.Event().wait(0.01)  # nobody has ordered yet
            return None
        return known[self.rng.randrange(max(0, len(known) - RECENT), len(known))]


class Load:
    """The people of one round. They stop at the first broken connection: that is the crash."""

    def __init__(self, node, story, rng, number):
        self.node, self.story, self.round = node, story, number
        self.over = threading.Event()
        self.asked, self.errors, self.odd = [], [], collections.Counter()
        people = [(act, Person(self, n, random.Random(rng.random()))) for n, act in enumerate(story.people())]
        self.threads = [threading.Thread(target=self.live, args=one) for one in people]
        for thread in self.threads:
            thread.start()

    def live(self, act, person):
        try:
            while not self.over.is_set():
                act(person)
        except requests.RequestException:
            pass
        except BaseException as error:  # shown by end(): a thread's own assertions would be lost
            self.errors.append(repr(error))

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        assert not self.errors, self.errors
        assert not self.odd, f"refusals before the crash: {self.odd}"


class Story:
    """One system: its people and what must be true of it. `known`: the numbers of what was made; `asked`: every request."""

    may_be_gone = False  # whether what was made can leave its collection

    def __init__(self):
        self.known, self.asked = [], []

    def open(self, node):
        """Whatever has to be there first."""

    def people(self):
        """One function for each person; it is called again and again with the Person."""
        raise NotImplementedError

    def check(self, node):
        raise NotImplementedError

    def finish(self, node, rng):
        """Further requests after the last crash, before the last checks."""

    def answered(self, method):
        return [a for a in self.asked if a.answer and a.method == method]

    def exist_once(self, marks, mark_of):
        """Every POST that was answered made one thing, and nothing exists that nobody asked for. `marks`: those of all that exists."""
        by_mark = collections.Counter(marks)
        assert not [m for m, n in by_mark.items() if n != 1], "made twice"
        posts = [a for a in self.asked if a.method == "POST"]
        assert not {mark_of(a.body) for a in posts if a.answer} - by_mark.keys(), "answered ones are lost"
        assert not by_mark.keys() - {mark_of(a.body) for a in posts}, "nobody asked for these"


def kill_9_at_random_moments(node, story, rng, rounds):
    story.open(node)
    for number in range(1, rounds + 1):
        load = Load(node, story, rng, number)
        moment = rng.uniform(0.02, 1.0)
        threading.Event().wait(moment)  # the moment of the crash; nothing is waited for
        node.kill9()
        load.end()
        node.start()
        story.asked += load.asked
        lost = [a for a in load.asked if a.status is None]
        print(f"round {number}: killed after {moment:.3f} s, {len(load.asked)} requests, {len(lost)} without an answer")
        # Who got no answer finds the whole of it or nothing, and may ask again: both kinds of people are simulated.
        for a in lost[: len(lost) // 2 + 1]:
            reply = a.ask(node.session, node.base)
            assert a.status in a.usual, reply.text
            if a.status == 201:
                story.known.append(a.made())
        for a in load.asked[-20:]:
            if a.answer and a.method == "POST":
                assert node.get(a.answer[1]).status_code in (200, 404 if story.may_be_gone else 200)
    story.check(node)
    story.finish(node, rng)

    answered = [a for a in story.asked if a.answer]
    print(f"{len(answered)} requests answered, {sum(a.status is None for a in story.asked)} never, the others refused")
    assert answered
    for a in rng.sample(answered, min(REPLAYED_MAX, len(answered))):
        a.ask(node.session, node.base)  # the answer is compared in there
    story.check(node)

    node.stop()
    verified = run("verify", "--system", node.system, "--rebuild-views", "--data", node.data, timeout=120)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    node.start()
    story.check(node)
