"""HTTPie, the client that the original drills were typed with."""

import json
import subprocess


def httpie(node, *words):
    """`http WORDS` as its authors typed it, with HOST for the node. Returns (status, headers, body)."""
    line = ["http", "--ignore-stdin", "--print=hb", "--pretty=none", *(w.replace("HOST", f"127.0.0.1:{node.port}") for w in words)]
    said = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr
    head, _, body = said.stdout.replace("\r\n", "\n").partition("\n\n")
    first, *rest = head.splitlines()
    headers = {name.strip().lower(): text.strip() for name, text in (line.split(":", 1) for line in rest)}
    return int(first.split()[1]), headers, json.loads(body) if body.strip() else None
