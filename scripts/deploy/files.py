"""The files of deploy/ as values, by the names that the rules use."""

import tomllib
from pathlib import Path

import rules
import yaml

ROOT = Path(__file__).resolve().parents[2]


def load():
    return {
        "compose": yaml.safe_load(text("deploy/compose/compose.yaml")),
        "config": tomllib.loads(text("deploy/compose/ocelli.toml")),
        "defaults": text("deploy/ocelli.toml"),
        "dockerfile": rules.instructions(text("deploy/docker/Dockerfile")),
        "dockerignore": text(".dockerignore").split(),
        "prometheus": yaml.safe_load(text("deploy/prometheus/prometheus.yml")),
        "unit": text("deploy/systemd/ocelli.service"),
        "packages": text("scripts/packages.sh"),
        "cargo": tomllib.loads(text("Cargo.toml")),
    }


def text(path):
    return (ROOT / path).read_text()


def exists(path):
    return (ROOT / path).exists()
