"""The differential harness: the same configuration and the same bytes through a real Envoy and through weft."""
