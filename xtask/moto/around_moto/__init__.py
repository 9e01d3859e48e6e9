"""moto's server, the second opinion on what `provision` does.

An emulator by others, who had never seen our tool, answers the calls; it stays as it is wherever it can.
Where it does not know what AWS does, and the end-to-end test would therefore stop, one module of
`deviations` changes that one thing. `python -m around_moto --list` tells which and why.
"""
