"""What speaks: engines behind one protocol (``base``), chosen by name (``catalogue``)."""

import os

# Threads that wait for each other within one operation spin for some 30 µs, then sleep; libgomp alone lets them spin a
# hundred times longer. On a machine with other work to do they spin away the time of those they wait for: a tiny model
# beside two busy processes took 66 s instead of 7 that way, and 26 s with this; on a quiet machine there is no
# difference. It is read once, when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
