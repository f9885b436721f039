"""The named exceptions to the rules (scripts/exceptions.toml), each with its reason."""

import tomllib

# Rule -> the fields that name what is excepted.
FIELDS = {
    "licence": {"crate", "licence"},
    "unused": {"crate", "dependency"},
    "long_file": {"path"},
    "large_file": {"path"},
    "machine_path": {"path"},
}


class Exceptions:
    """Looked up by rule; remembers which were needed, so that stale ones are found."""

    def __init__(self, text):
        self.entries = []
        self.problems = []
        self.used = set()
        for rule, entries in tomllib.loads(text).items():
            for entry in entries:
                self.add(rule, entry)

    def add(self, rule, entry):
        reason = entry.pop("reason", "").strip()
        if rule not in FIELDS or set(entry) != FIELDS[rule]:
            self.problems.append(f"exceptions.toml: [[{rule}]] with {sorted(entry)} is no rule's exception")
        elif not reason:
            self.problems.append(f"exceptions.toml: [[{rule}]] {entry} gives no reason")
        else:
            self.entries.append((rule, entry))

    def covers(self, rule, **what):
        """Whether `what` is excepted from the rule."""
        if (rule, what) not in self.entries:
            return False
        self.used.add(self.entries.index((rule, what)))
        return True

    def stale(self):
        """Exceptions nothing needed; call it after all checks."""
        for index, (rule, entry) in enumerate(self.entries):
            if index not in self.used:
                yield f"exceptions.toml: [[{rule}]] {entry} is not needed any more: remove it"
