"""A chat broker on ZeroMQ."""
