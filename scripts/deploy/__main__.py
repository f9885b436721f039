"""Checks that the files of deploy/ agree with one another and with the configuration's own names."""

import sys

import files
import rules

problems = list(rules.problems(files.load(), files.exists))
for problem in problems:
    print(f"error: {problem}")
if problems:
    sys.exit(f"deploy: {len(problems)} problems")
