"""Rows of the store: rates, waits, sizes, against the same engine without what we put around it."""

import json
import shutil
import subprocess

# What is to be reached: results a second with 5 detections each; ms from appending to durable at half that rate; ms to a page.
RATE, WAIT_MS, PAGE_MS = 5_000, 15, 50


def measure(program, scratch, quick):
    """Figures of `store`, which measures all parts in one run."""
    folder = scratch / "store"
    try:
        said = subprocess.run(
            [program, folder, *(["quick"] if quick else [])], check=True, capture_output=True, text=True
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return json.loads(said.stdout)


def rows(table, found):
    """Puts the figures into the table."""
    write, floor, pace, synced, query = (found[part] for part in ("write", "write_floor", "pace", "pace_floor", "query"))
    size = " (quick: a tenth)" if found["quick"] else ""
    rate = lambda side: f"{side['per_second']:,.0f}/s"
    cpu = lambda side: f"{side['cpu_s_per_1000'] * 1000:.0f} us"
    times = write["cpu_s_per_1000"] / floor["cpu_s_per_1000"] if floor["cpu_s_per_1000"] else float("nan")
    one = "one transaction, a row each"
    table.value(f"store: durable results, 5 detections each{size}", one, rate(write), rate(floor), f">= {RATE:,}/s",
                write["per_second"] >= RATE)
    table.value(f"store: CPU of a result, flat out ({times:.2f} times)", one, cpu(write), cpu(floor), None, None)
    table.value("store: CPU of a result, 2,500/s", one, cpu(pace), cpu(floor), None, None)
    kept_pace = pace["per_second"] >= 2_450
    table.value("store: append to durable, 2,500/s, p99", "bare append and sync", f"{pace['p99_ms']:.1f} ms",
                f"{synced['p99_ms']:.1f} ms", f"<= {WAIT_MS} ms", kept_pace and pace["p99_ms"] <= WAIT_MS)
    rows_of = f"one class in one hour of {query['detections'] / 1e6:g} M detections, p95"
    for words, key in (("new connection", "cold_p95_ms"), ("open connection", "warm_p95_ms")):
        table.value(f"store: {rows_of}, {words}", "", f"{query[key]:.1f} ms", "", f"<= {PAGE_MS} ms", query[key] <= PAGE_MS)
    bytes_of = query["bytes_per_million_detections"]
    table.value("store: size of a million detections", "", f"{bytes_of / 1e6:.0f} MB", "", None, None)
    words = f"store: check of {query['detections'] / 1e6:g} M detections"
    table.value(words, "", f"{query['check_s']:.1f} s", "", None, None)
