"""Short public ids: hard to guess, easy to read aloud."""

import secrets

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0/o, 1/l/i
_LENGTH = 12  # 31**12: about 59 bits


def new_id() -> str:
    """A fresh random id of 12 characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
