"""Row 33 of the fault plan: what a run holds in memory does not grow with its seeds."""

import json
import os
import subprocess
import sys

MILL = """The tide mill stands where the creek meets the sea, and it has ground corn since 1742. Twice a day the pond
behind it fills with salt water. When the sea draws back, the miller opens the gate, and the stored water turns the
great oak wheel for about five hours. Storms broke the dam in 1816, yet the village paid for new stones each time.
"""
LEAN = ["--rounds", "0", "--categories-per-seed", "1", "--per-category", "1", "--verify", "off", "--goals", "none"]


def peak_mb(folder, count):
    """The largest resident set of a run over so many seeds, in MiB."""
    seeds = folder / f"{count}.jsonl"
    texts = (MILL.replace("1742", str(1000 + number)) for number in range(count))
    seeds.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    command = [sys.executable, "-m", "agentinstruct.cli.main", "run", str(seeds), "--model", "scripted", *LEAN]
    command += ["--out", str(folder / f"out-{count}"), "-s", "text_modification"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    manifest = json.loads((folder / f"out-{count}" / "manifest.json").read_text())
    assert sum(manifest["records"].values()) + manifest["dropped"] >= count
    return usage.ru_maxrss / 1024


def test_33_ten_times_the_seeds_take_hardly_more_memory(tmp_path):
    few, many = peak_mb(tmp_path, 60), peak_mb(tmp_path, 600)
    assert many < 1.15 * few, f"{few:.0f} MB and {many:.0f} MB"
