"""The results as people and as programs read them."""

from suite.figures import number

HEADINGS = ["row", "what", "median", "range", "goal", "met"]


def lines_of(result):
    if result.failed is not None:
        return [[result.row, "FAILED: " + result.failed, "", "", "", "no"]]
    lines = []
    for m in result.metrics:
        spread = f"{number(m.low)} – {number(m.high)}" if len(m.values) > 1 else ""
        verdict = "" if m.goal is None else "yes" if m.meets(m.goal) else "NO"
        lines.append([result.row, m.name, f"{number(m.median)} {m.unit}".strip(), spread, str(m.goal or ""), verdict])
    return lines


def to_text(machine, results, scale):
    """The machine above, then one line a metric, then what there is to say of a row."""
    head = [f"{name}: {value}" for name, value in machine.items()]
    if scale != 1:
        head.append(f"SCALED: the large rows ran with {number(scale)} of their orders and connections; goals are those of the whole")
    lines = [HEADINGS] + [line for r in results for line in lines_of(r)]
    wide = [line for line in lines if not line[1].startswith("FAILED")]
    widths = [max(len(line[i]) for line in wide) for i in range(len(HEADINGS))]
    body = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    notes = [f"{r.row}: {note}" for r in results for note in r.notes]
    return "\n".join([*head, "", *body, *([""] + notes if notes else [])]) + "\n"


def to_json(machine, results, scale):
    def goal(g):
        return None if g is None else {"value": g.value, "atMost": g.at_most}

    return {
        "machine": machine,
        "scale": scale,
        "rows": {
            r.row: {
                "failed": r.failed,
                "met": r.meets_goals(),
                "metrics": [{"name": m.name, "unit": m.unit, "values": m.values, "median": m.median, "min": m.low, "max": m.high,
                             "goal": goal(m.goal), "gate": goal(m.gate), "met": m.meets(m.goal)} for m in r.metrics],
                "notes": r.notes,
                "detail": r.detail,
            }
            for r in results
        },
    }
