"""The pages that `benchmarks.report` writes, one module each."""
