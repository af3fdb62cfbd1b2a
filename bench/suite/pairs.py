"""Crema and something else measured in turn, so that a machine's moods meet both: a round is one of each."""


def measure_in_turn(bench, name, other, own):
    """[(other's Load, crema's Load)], one a round; both are called with a round's number and its seconds. Round 0 warms up."""
    pairs = []
    for n in range(bench.rounds + 1):
        seconds = bench.seconds if n > 0 else bench.warm_up_s
        pair = other(n, seconds), own(n, seconds)
        if n > 0:
            pairs.append(pair)
        bench.progress(f"{name}: " + ("warmed up" if n == 0 else f"round {n} of {bench.rounds}"))
    return pairs


def ratios(pairs):
    return [own.per_second / other.per_second for other, own in pairs]
