"""Compiles the large kernels of test/device/gemm_bench.py with ptxas ($PTXAS) and prints those that
spill registers or whose wgmma are serialised. (For small ones ptxas gives up some bytes to have one
more block on a multiprocessor.)"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[5]
sys.path.insert(0, str(ROOT / "test/device"))
sys.dont_write_bytecode = True
import gemm_bench

kernels = {name: options for name, options in gemm_bench.KERNELS.items() if not name.startswith("small-")}
good = 0
with tempfile.TemporaryDirectory() as folder:
    for name, options in kernels.items():
        path = pathlib.Path(folder) / f"{name}.ptx"
        path.write_text(subprocess.run(["adze-tile", *options.split()], check=True, stdout=subprocess.PIPE, text=True).stdout)
        chip = re.search(r"^\.target (\w+)", path.read_text(), re.M)[1]
        done = subprocess.run([os.environ["PTXAS"], "-v", f"-arch={chip}", str(path), "-o", f"{folder}/cubin"], capture_output=True, text=True)
        said = done.stdout + done.stderr
        spills = sum(map(int, re.findall(r"(\d+) bytes spill", said)))
        if done.returncode or spills or "serialized" in said:
            print(name, said)
        else:
            good += 1
print(good, "kernels fit their registers" if good == len(kernels) else f"of {len(kernels)}")
