"""The benchmarks: ratios of one run, beside the cost of the cryptography alone and beside dcap-qvl."""
