"""siege, the load tool of the original drills, run with a configuration of its own (its per-user one stays untouched)."""

import json
import os
import re
import shutil
import subprocess

OPTIONS = """\
verbose = false
quiet = true
json_output = true
show-logfile = false
logging = false
color = off
protocol = HTTP/1.1
chunked = true
connection = {connection}
concurrent = 100
limit = 1000
delay = 0.0
benchmark = true
failures = 1000000
accept-encoding = identity
url-escaping = false
timeout = {answer_s}
parser = false
"""


ANSWER_S = 20  # a request without an answer for so long has failed


class SiegeHung(AssertionError):
    """siege 4.0.7 itself did not come to its end, long after every request had to be answered or failed: says nothing of the node."""


class Siege:
    """One siege of `POST url body`, or of `url` where there is no body. start() returns at once, result() waits.

    It ends after so many `seconds`, or when each user has had so many `repetitions`: for a thousand users, of whom siege does not always
    get hold again when the time is over. `seconds` is then how long that may take.
    """

    def __init__(self, directory, url, body=None, concurrent=100, seconds=10, connection="keep-alive", repetitions=None):
        self.directory = directory
        self.rc = directory / "siegerc"
        self.rc.write_text(OPTIONS.format(connection=connection, answer_s=ANSWER_S))
        self.seconds = seconds
        end = f"-r{repetitions}" if repetitions else f"-t{seconds}S"
        self.line = [shutil.which("siege") or "siege", f"--rc={self.rc}", f"-c{concurrent}", end, "--content-type", "application/json",
                     url if body is None else f"{url} POST {json.dumps(body)}"]
        self.process = None

    def start(self):
        home = {**os.environ, "HOME": str(self.directory)}
        self.process = subprocess.Popen(self.line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=home)
        return self

    def running(self):
        return self.process.poll() is None

    def result(self):
        """The final figures: transactions, availability (%), failed_transactions, transaction_rate (1/s), response_time (s) …"""
        try:
            output, _ = self.process.communicate(timeout=self.seconds + 2 * ANSWER_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SiegeHung("siege did not end") from None
        found = re.search(r"\{[^{}]*\"transactions\"[^{}]*\}", output)
        assert found, f"siege said:\n{output}"
        figures = json.loads(found[0])
        print("siege:", figures)
        return figures

    @staticmethod
    def mean_s(figures):
        """Mean over all answers. siege itself divides the time of all by the number of those that were not refused."""
        answers = figures["transactions"] + figures["failed_transactions"]
        return figures["response_time"] * figures["transactions"] / answers

    def run(self):
        return self.start().result()
