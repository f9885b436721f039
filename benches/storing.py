"""Rows of the store: rates, waits, sizes, against the same engine without what we put around it."""

import json
import shutil
import subprocess

# What is to be reached: results a second with 5 detections each; ms from appending to durable at half that rate; ms to a page.
RATE, WAIT_MS, PAGE_MS = 5_000, 15, 50
# CPU of an append to a run that is weeks old, in times of what it was in the beginning; ms that a commit waits beside a removal.
AGE, BESIDE_MS = 1.5, 50


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
    weeks(table, found["weeks"])


def weeks(table, found):
    """Puts the figures of a server that has run for weeks into the table."""
    young, old = found["young"], found["old"]
    words = f"store: CPU of an append after {found['slots'] / 1e6:g} M slots"
    table.value(words, "in the beginning", f"{old['cpu_us']:.0f} us", f"{young['cpu_us']:.0f} us", f"<= {AGE} times",
                old["cpu_us"] <= AGE * young["cpu_us"])
    words = f"store: a commit beside the removal of {found['pruned_frames']:,} old results, worst"
    table.value(words, "", f"{found['beside_worst_ms']:.1f} ms", "", f"<= {BESIDE_MS} ms",
                found["beside_worst_ms"] <= BESIDE_MS)
    table.value("store: removal of old results", "", f"{found['pruned_frames'] / found['prune_s']:,.0f}/s", "", None, None)
    streams = found["streams"]
    table.value(f"store: entering one of {streams:,} streams", "", f"{found['put_ms']:.2f} ms", "", None, None)
    table.value(f"store: listing {streams:,} streams", "", f"{found['list_ms']:.1f} ms", "", None, None)
