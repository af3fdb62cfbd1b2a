"""The processes that are measured: nodes of crema, and the bare server that they are measured against."""

import contextlib
import resource
import shutil
import socket
import subprocess

import crema

from suite.figures import MeasuredWrongly


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def bare_server(bench):
    """Its port."""
    port = crema.free_port()
    process = subprocess.Popen([bench.binary("bare_server"), str(port)])
    try:
        crema.wait_until(lambda: listens(port), what="the bare server")
        yield port
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def node(directory, settings=None, keep=False, make=crema.Node):
    """A crema.Node that is ready, or what `make` gives. With `keep` what is in the directory stays, before and after."""
    if not keep:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    started = make(directory, settings).start()
    try:
        yield started
    finally:
        started.kill9()
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)


def allow_open_files(wanted):
    """So many for each process from here on; returns how many there may be, at least 1,000 or MeasuredWrongly."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return soft
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < 1000:
        raise MeasuredWrongly(f"only {hard} open files are allowed: raise `ulimit -Hn`")
    return hard
