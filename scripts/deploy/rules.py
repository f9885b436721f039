"""Rules about deploy/, on values: each yields what is wrong in words."""

import re
from pathlib import PurePosixPath

from compose_spec.models import ComposeSpecification
from pydantic import ValidationError

SECONDS = {"s": 1, "min": 60, "m": 60}
HEALTH = ["CMD", "ocelli", "health"]


def problems(files, exists):
    """Everything wrong with `files`; `exists` says whether the repository has a path."""
    for rule in (schema, hardening, names, network, ports, drain, health, image, context, packages):
        yield from rule(files, exists)


def instructions(text):
    """A Dockerfile as (instruction, arguments), continued lines joined, comments gone."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def of(files, instruction):
    return [arguments for name, arguments in files["dockerfile"] if name == instruction]


def image_environment(files):
    return dict(pair.split("=", 1) for arguments in of(files, "ENV") for pair in arguments.split())


def service(files):
    return files["compose"]["services"]["ocelli"]


def seconds(text):
    """`30 s`, `45s` or `1 min` as a number."""
    number, unit = re.fullmatch(r"(\d+)\s*([a-z]+)", text).groups()
    return int(number) * SECONDS[unit]


def schema(files, _exists):
    try:
        ComposeSpecification.model_validate(files["compose"], extra="forbid")
    except ValidationError as error:
        for found in error.errors():
            yield f"compose.yaml: {'.'.join(map(str, found['loc']))}: {found['msg']}"


def hardening(files, _exists):
    found = service(files)
    wanted = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
    for key, value in wanted.items():
        if found.get(key) != value:
            yield f"compose.yaml: {key} is not {value}"
    user = (of(files, "USER") or ["root"])[-1]
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", user):
        yield f"Dockerfile: USER {user} is not a user without rights, by number"
    for mount in found["volumes"]:
        target = mount.split(":")[1]
        written = not mount.endswith(":ro")
        if written and f'"{target}"' not in " ".join(of(files, "VOLUME")):
            yield f"compose.yaml: {target} is no volume of the image"


def names(files, exists):
    known = {"OCELLI_CONFIG", "FFMPEG_PATH", "FFPROBE_PATH"}
    for line in re.findall(r"^# Environment: (.*)$", files["defaults"], re.MULTILINE):
        known |= set(line.split(", "))
    unit = dict(pair.split("=", 1) for line in re.findall(r"^Environment=(.*)$", files["unit"], re.MULTILINE) for pair in line.split())
    for where, given in [
        ("compose.yaml", service(files)["environment"]),
        ("Dockerfile", image_environment(files)),
        ("ocelli.service", unit),
    ]:
        for name in given:
            if name not in known:
                yield f"{where}: the configuration has no name {name}"
    for mount in service(files)["volumes"]:
        source = mount.split(":")[0]
        if source.startswith(".") and not exists(f"deploy/compose/{source}"):
            yield f"compose.yaml: {source} is not there"


def network(files, _exists):
    """Who is let in without a credential is who is in the compose network, and nobody else."""
    pools = files["compose"]["networks"]["pipeline"]["ipam"]["config"]
    subnets = [pool["subnet"] for pool in pools]
    rules = files["config"]["access"]["anonymous"]
    if [(rule["contract"], rule["networks"]) for rule in rules] != [("video-pipeline", subnets)]:
        yield "compose/ocelli.toml: access.anonymous is not one rule for video-pipeline and the compose network"


def ports(files, _exists):
    port = image_environment(files).get("OCELLI_SERVER_LISTEN", "").rpartition(":")[2]
    if of(files, "EXPOSE") != [port]:
        yield f"Dockerfile: EXPOSE is not the port {port} that is listened on"
    for published in service(files)["ports"]:
        host, _, inner = published.rpartition(":")
        if inner != port:
            yield f"compose.yaml: {published} does not lead to port {port}"
        if not host.startswith("127.0.0.1:"):
            yield f"compose.yaml: {published} is open to other machines, whom the anonymous rule may take for the network's"
    for scrape in files["prometheus"]["scrape_configs"]:
        for target in (target for group in scrape["static_configs"] for target in group["targets"]):
            if target != f"ocelli:{port}":
                yield f"prometheus.yml: {target} is not ocelli:{port}"


def drain(files, _exists):
    wanted = seconds(re.search(r'^#drain_timeout = "(.*)"$', files["defaults"], re.MULTILINE)[1])
    stops = {
        "compose.yaml: stop_grace_period": service(files)["stop_grace_period"],
        "ocelli.service: TimeoutStopSec": re.search(r"^TimeoutStopSec=(.*)$", files["unit"], re.MULTILINE)[1],
    }
    for where, value in stops.items():
        if seconds(value) <= wanted:
            yield f"{where} is not longer than server.drain_timeout, {wanted} s"


def health(files, _exists):
    if service(files)["healthcheck"]["test"] != HEALTH:
        yield f"compose.yaml: the health check is not {HEALTH}"
    checks = " ".join(of(files, "HEALTHCHECK"))
    if 'CMD ["ocelli", "health"]' not in checks:
        yield "Dockerfile: HEALTHCHECK does not ask the program itself"
    start = [of(files, "ENTRYPOINT"), of(files, "CMD")]
    if start != [['["ocelli"]'], ['["serve"]']]:
        yield f"Dockerfile: it starts {start} instead of ocelli serve"


def image(files, _exists):
    version = files["cargo"]["workspace"]["package"]["version"]
    if service(files)["image"] != f"ocelli:{version}":
        yield f"compose.yaml: the image is not that of version {version}"
    rust = files["cargo"]["workspace"]["package"]["rust-version"]
    if f"rust:{rust}-bookworm AS build" not in of(files, "FROM"):
        yield f"Dockerfile: it does not build with Rust {rust}"


def context(files, exists):
    """What is copied is there, and let into the build."""
    let_in = [PurePosixPath(line[1:]) for line in files["dockerignore"] if line.startswith("!")]
    members = [member.removesuffix("/*") for member in files["cargo"]["workspace"]["members"]]
    copied = [arguments.split()[:-1] for arguments in of(files, "COPY") if not arguments.startswith("--")]
    wanted = ["Cargo.toml", "Cargo.lock", *members, *(path for paths in copied for path in paths if path != ".")]
    for path in wanted:
        if not exists(path):
            yield f"Dockerfile: {path} is not there"
        if not any(PurePosixPath(path).is_relative_to(folder) for folder in let_in):
            yield f".dockerignore: {path} is kept out of the build"


def packages(files, _exists):
    """The build stage installs what set-up installs; the runtime stage the libraries of the same headers."""
    installs = [re.split(r"\s*&&\s*", arguments) for arguments in of(files, "RUN")]
    commands = [command for commands in installs for command in commands if command.startswith("apt-get install")]
    build, _, runtime = [[word for word in command.split()[2:] if not word.startswith("-")] for command in commands]
    for package in build:
        if not re.search(rf"(?<![\w-]){re.escape(package)}(?![\w-])", files["packages"]):
            yield f"Dockerfile: the build needs {package}, which set-up does not install"
    for header in (package for package in build if re.fullmatch(r"lib(av|sw)\w+-dev", package)):
        library = header.removesuffix("-dev")
        if not any(re.fullmatch(rf"{library}\d+", package) for package in runtime):
            yield f"Dockerfile: the image has no {library}"
