"""The engine that needs no weights, no accelerator and no download.

eSpeak NG (in a child process) gives the words, the vocoder stages here give the voice. It resembles a
reference voice's pitch, range and colour; it does not clone it.
"""
