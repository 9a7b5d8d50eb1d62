"""What a ticket in the queue calls."""

from synthesis.worker import runtime


def take_turn() -> None:
    """Do the job whose turn it is."""
    runtime.current().take_turn()
