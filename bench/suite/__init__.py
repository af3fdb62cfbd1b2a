"""The benchmarks of Crema: each row of the table is a module below rows/. Started by bench/run.sh; docs/benchmarks.md explains them."""
