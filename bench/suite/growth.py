"""Throughput over what is stored already: from samples of (seconds, orders), taken while orders come in without a pause."""


def seconds_at(samples, orders):
    """When the count of orders was reached, on a straight line between the samples around it."""
    for (t0, n0), (t1, n1) in zip(samples, samples[1:]):
        if n0 <= orders <= n1 and n1 > n0:
            return t0 + (t1 - t0) * (orders - n0) / (n1 - n0)
    raise ValueError(f"{orders} orders lie outside of the samples, which go from {samples[0][1]} to {samples[-1][1]}")


def throughput(samples, begin, end):
    """Orders a second between two counts of orders."""
    return (end - begin) / (seconds_at(samples, end) - seconds_at(samples, begin))


def cost_curve(samples, total, steps):
    """[(orders stored, µs an order)], one entry for each of so many equal parts."""
    edges = [total * n // steps for n in range(steps + 1)]
    return [(end, 1e6 / throughput(samples, max(begin, samples[0][1]), end)) for begin, end in zip(edges, edges[1:])]
