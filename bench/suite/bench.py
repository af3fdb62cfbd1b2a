"""What every row is given: how long and how often to measure, where data goes, and what other rows have made already."""

import pathlib
import sys

import crema


class Bench:
    """rounds, seconds: of each measurement. scale: of the large rows. directory: where data goes, on the disk to be measured."""

    def __init__(self, rounds, seconds, scale, directory, settings=None):
        self.rounds, self.seconds, self.scale = rounds, seconds, scale
        self.directory = pathlib.Path(directory).resolve()
        self.settings = dict(settings or {})
        self._made = {}

    @property
    def warm_up_s(self):
        return min(2, self.seconds)

    def binary(self, name):
        return str(crema.BINARY.parent / "bench" / name)

    def scaled(self, count):
        return max(1, round(count * self.scale))

    def progress(self, text):
        print(text, file=sys.stderr, flush=True)

    def once(self, key, make):
        """What make() returns, made by the first row that asks. If it fails, it fails for the others too: it would take as long again."""
        if key not in self._made:
            try:
                self._made[key] = make(), None
            except Exception as error:
                self._made[key] = None, error
        made, error = self._made[key]
        if error is not None:
            raise error
        return made
