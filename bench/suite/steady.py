"""Waiting for a figure to stop changing."""

import time

import crema


def wait_until_steady(read, tolerance, quiet_s, deadline_s, what):
    """The figure once it has stayed within `tolerance` (a share of it) for `quiet_s`; AssertionError after the deadline."""
    held = {"value": read(), "since": time.monotonic()}

    def is_steady():
        now = read()
        if abs(now - held["value"]) > tolerance * held["value"]:
            held.update(value=now, since=time.monotonic())
        return time.monotonic() - held["since"] >= quiet_s

    crema.wait_until(is_steady, deadline_s, f"{what} is steady", pause_s=0.25)
    return read()
