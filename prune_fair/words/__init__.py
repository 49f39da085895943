"""Numbers and sentences, for the terminal, pictures and the card alike.

Pure functions from labelled arrays, numbers and names to plain text; what prints it escapes it. Two
formats of a number differ on purpose: what a command takes is shown as it is typed (a fraction,
with a hyphen), everything else in percent and points, with a minus sign.
"""
