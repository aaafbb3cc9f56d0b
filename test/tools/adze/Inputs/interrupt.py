"""interrupt.py SIGNAL COMMAND...: sends the signal half a second after the command
has made ready for one; prints its exit code."""
import re
import signal
import subprocess
import sys
import time


def catches(pid, number):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"SigCgt:\s*(\w+)", status.read())[1], 16) >> (number - 1) & 1


process = subprocess.Popen(sys.argv[2:], stderr=subprocess.STDOUT)
number = getattr(signal, sys.argv[1])
while process.poll() is None and not catches(process.pid, number):
    time.sleep(0.01)
time.sleep(0.5)
process.send_signal(number)
print("exit code", process.wait(), flush=True)
