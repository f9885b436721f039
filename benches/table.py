"""Rows of figures with what was to be reached."""

HEAD = ("what", "against", "ours CPU-s", "other CPU-s", "ratio", "whole", "to reach", "")


class Table:
    def __init__(self):
        self.rows = []

    def most(self, what, ours, other, limit=None):
        """Ours as a multiple of the other: at most `limit`, where there is a claim."""
        self.add(what, ours, other, ours.net() / other.net(), ours.cpu() / other.cpu(), limit, "<=")

    def least(self, what, ours, other, factor=None):
        """The other as a multiple of ours: at least `factor`, where there is a claim."""
        self.add(what, ours, other, other.net() / ours.net(), other.cpu() / ours.cpu(), factor, ">=")

    def add(self, what, ours, other, ratio, whole, target, sign):
        reached = None if target is None else (ratio <= target if sign == "<=" else ratio >= target)
        self.rows.append(
            {
                "what": what,
                "against": other.name,
                "ours_cpu_s": ours.net(),
                "other_cpu_s": other.net(),
                "ratio": ratio,
                "ratio_whole_process": whole,
                "to_reach": None if target is None else f"{sign} {target:g}",
                "reached": reached,
            }
        )

    def memory(self, what, against, ours_mb, other_mb, limit_mb):
        """Peaks in MB; ours may be at most `limit_mb` above the other."""
        self.rows.append(
            {
                "what": what,
                "against": against,
                "ours_mb": ours_mb,
                "other_mb": other_mb,
                "to_reach": f"<= +{limit_mb} MB",
                "reached": ours_mb - other_mb <= limit_mb,
            }
        )

    def value(self, what, against, ours, other, to_reach, reached):
        """Figures that are no CPU seconds, in words; `reached` is None where there is no claim."""
        self.rows.append(
            {"what": what, "against": against, "ours": ours, "other": other, "to_reach": to_reach, "reached": reached}
        )

    def missed(self):
        return [row for row in self.rows if row["reached"] is False]

    def text(self):
        lines = [HEAD, *map(cells, self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
        # Words to the left, figures to the right.
        pad = lambda column, cell: cell.ljust(widths[column]) if column in (0, 1, 7) else cell.rjust(widths[column])
        return "\n".join("  ".join(pad(column, cell) for column, cell in enumerate(line)).rstrip() for line in lines)


def cells(row):
    verdict = {True: "ok", False: "MISSED", None: ""}[row["reached"]]
    if "ours" in row:
        figures = (row["ours"], row["other"], "", "")
    elif "ours_mb" in row:
        difference = row["ours_mb"] - row["other_mb"]
        figures = (f"{row['ours_mb']:.1f} MB", f"{row['other_mb']:.1f} MB", f"{difference:+.1f}", "")
    else:
        figures = (
            f"{row['ours_cpu_s']:.2f}",
            f"{row['other_cpu_s']:.2f}",
            f"{row['ratio']:.2f}",
            f"{row['ratio_whole_process']:.2f}",
        )
    return (row["what"], row["against"], *figures, row["to_reach"] or "shown", verdict)
