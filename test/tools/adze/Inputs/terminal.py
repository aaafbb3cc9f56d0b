"""terminal.py COMMAND...: runs the command with stderr on a terminal, and prints
what it wrote there with control characters shown."""
import os
import pty
import subprocess
import sys

master, slave = pty.openpty()
process = subprocess.Popen(sys.argv[1:], stderr=slave, stdout=subprocess.DEVNULL)
os.close(slave)
text = b""
while True:
    try:
        piece = os.read(master, 4096)
    except OSError:  # the other end is closed
        break
    if not piece:
        break
    text += piece
print(repr(text.decode()))
sys.exit(process.wait())
