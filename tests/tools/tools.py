"""The tools that install.sh has put below build/tools, and how one is run."""

import os
import pathlib
import subprocess

from crema import REPOSITORY

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = REPOSITORY / "build" / "tools"


def run_tool(*command, deadline_s=150, **options):
    """A command to its end; fails with what it said where it fails."""
    assert (TOOLS / "installed").exists(), "the tools are not installed: tests/tools/install.sh"
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=deadline_s, **options)
    assert done.returncode == 0, f"{command[0]} {command[1]}\n{done.stdout[-8000:]}{done.stderr[-4000:]}"
    return done.stdout


def run_node(script, *arguments, **options):
    """A script of this folder, or an installed program of node_modules/.bin."""
    here = HERE / script
    program = here if here.exists() else TOOLS / "node_modules" / ".bin" / script
    env = {**os.environ, "NODE_PATH": str(TOOLS / "node_modules"), **options.pop("env", {})}
    return run_tool("node", program, *arguments, env=env, **options)
