#!/usr/bin/python3
"""Holds a listening socket while the server behind it changes, as systemd's socket activation does.

    socket_parent.py HOST:PORT -- COMMAND ARGUMENT...

Binds and listens, then starts COMMAND with the socket as file descriptor 3, LISTEN_FDS=1 and LISTEN_PID its process id.
SIGHUP: SIGTERM to the child, waits for its end, starts the next one. Meanwhile connections wait in the kernel's queue.
SIGTERM or SIGINT: ends the child in the same way and exits with its code. A child that ends on its own ends the parent, too.
"""

import ctypes
import os
import signal
import socket
import sys

BACKLOG = 4096
PR_SET_PDEATHSIG = 1


def start(listener, command):
    child = os.fork()
    if child:
        return child
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a killed parent leaves no orphan behind
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if listener.fileno() != 3:
            os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)  # dup2 onto itself would leave it to be closed by exec
        environment = {**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
        os.execvpe(command[0], command, environment)
    finally:
        os._exit(127)


def main(address, command):
    host, port = address.rsplit(":", 1)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(BACKLOG)

    awaited = {signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    generation, restarting, ending = 0, False, False
    child = start(listener, command)
    while True:
        generation += 1
        print(f"generation {generation}: pid {child}", flush=True)
        while True:
            came = signal.sigwait(awaited)
            if came == signal.SIGCHLD:
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended == child:
                    break
            else:
                restarting, ending = came == signal.SIGHUP, ending or came != signal.SIGHUP
                os.kill(child, signal.SIGTERM)
        code = os.waitstatus_to_exitcode(status)
        print(f"generation {generation}: ended with {code}", flush=True)
        if ending or not restarting or code != 0:
            return code if code >= 0 else 128 - code
        restarting = False
        child = start(listener, command)


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[3:]))
