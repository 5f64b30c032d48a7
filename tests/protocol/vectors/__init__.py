"""Bytes of the wire that decode for ever, one folder a version of the protocol."""
