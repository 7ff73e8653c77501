"""Runs a command and prints a table row: its name, seconds, peak memory, size of the file it made.

  measure.py NAME FILE COMMAND...
"""

import os
import resource
import subprocess
import sys
import time

name, file, *command = sys.argv[1:]
start = time.perf_counter()
subprocess.run(command, check=True)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"| {name} | {seconds:.2f} | {peak:.0f} | {os.path.getsize(file) / 1e6:.1f} |", flush=True)
