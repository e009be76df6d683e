"""The benchmark harness: proxies side by side, one core each. Started by tests/bench/run."""
