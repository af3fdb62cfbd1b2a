"""wrk, a load tool that takes refusals as answers: the same POST on kept-alive connections for some seconds."""

import json
import shutil
import subprocess

SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = %s
function done(summary, latency, requests)
  local e = summary.errors
  print(string.format('{"answers": %%d, "refused": %%d, "broken": %%d, "mean_s": %%f, "p99_s": %%f}', summary.requests, e.status,
                      e.connect + e.read + e.write + e.timeout, latency.mean / 1e6, latency:percentile(99) / 1e6))
end
"""


def wrk(directory, url, body, seconds, connections=100):
    """Figures over all answers, whatever their status."""
    script = directory / "post.lua"
    script.write_text(SCRIPT % json.dumps(json.dumps(body)))
    line = [shutil.which("wrk") or "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
    said = subprocess.run(line, capture_output=True, text=True, timeout=seconds + 60)
    assert said.returncode == 0, said.stderr
    figures = json.loads(said.stdout.splitlines()[-1])
    print("wrk:", figures)
    return figures
