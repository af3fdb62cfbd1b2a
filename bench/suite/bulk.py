"""Data directories that bulk_load fills."""

import shutil
import subprocess

from suite.figures import MeasuredWrongly


def bulk_load(bench, directory, orders, orders_a_phone=1, keep=False):
    """A data directory, at DIRECTORY/data as a crema.Node has it, with so many complete orders. With `keep` those that are there count."""
    if not keep:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    bench.progress(f"{directory.name}: loading {orders:,} orders")
    ended = subprocess.run([bench.binary("bulk_load"), str(directory / "data"), str(orders), str(orders_a_phone)])
    if ended.returncode != 0:
        raise MeasuredWrongly(f"bulk_load ended with {ended.returncode}; what it said is above")
