"""interrupt.py SIGNAL SECONDS COMMAND...: sends the signal after some seconds, once
the command has begun; prints its exit code."""
import signal
import subprocess
import sys
import time

process = subprocess.Popen(sys.argv[3:], stderr=subprocess.STDOUT)
time.sleep(float(sys.argv[2]))
process.send_signal(getattr(signal, sys.argv[1]))
print("exit code", process.wait(), flush=True)
