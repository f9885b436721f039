"""Rules about crates, read from `cargo metadata`: dependency edges, licences, unused dependencies."""

import re

# Who may depend on whom (ARCHITECTURE.md draws it). `testkit` and `benches` serve development only.
EDGES = {
    "model": set(),
    "media": {"model"},
    "net": {"model"},
    "store": {"model"},
    "ingest": {"model", "media", "net"},
    "archive": {"model", "media", "store"},
    "analyze": {"model", "media", "net"},
    "sinks": {"model", "net", "store"},
    "engine": {"model", "media", "net", "store", "ingest", "archive", "analyze", "sinks"},
    "api": {"engine", "store", "archive", "net", "model"},
    "testkit": {"model", "media"},
}
PRODUCT = set(EDGES) - {"testkit"}
EDGES["server"] = PRODUCT
EDGES["benches"] = PRODUCT | {"server", "testkit"}

# Licences that let a binary be given away with no more than their notices.
LICENCES = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "IJG",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}


def short(name):
    """`ocelli-media` is called media in the rules."""
    return name.removeprefix("ocelli-")


def members(metadata):
    ids = set(metadata["workspace_members"])
    return [package for package in metadata["packages"] if package["id"] in ids]


def check_edges(metadata):
    """Problems with dependencies between the workspace's own crates."""
    ours = {package["name"] for package in members(metadata)}
    for package in members(metadata):
        crate = short(package["name"])
        if crate not in EDGES:
            yield f"crate {crate}: not in the list of crates (scripts/tidy/crates.py): is it in the design?"
            continue
        for dependency in package["dependencies"]:
            if dependency["name"] not in ours:
                continue
            other = short(dependency["name"])
            allowed = EDGES[crate] | ({"testkit"} if dependency["kind"] == "dev" else set())
            if other not in allowed:
                kind = f"{dependency['kind']}-dependency" if dependency["kind"] else "dependency"
                yield f"crate {crate}: {kind} on {other} is against the design"


def check_licences(metadata, exceptions):
    """Problems with licences of crates that are not ours."""
    ids = set(metadata["workspace_members"])
    for package in metadata["packages"]:
        if package["id"] in ids:
            continue
        licence = package["license"] or f"file {package['license_file']}"
        if exceptions.covers("licence", crate=package["name"], licence=licence):
            continue
        if not package["license"] or not permitted(licence):
            yield f"crate {package['name']}: licence '{licence}' is not on the list (scripts/tidy/crates.py)"


def permitted(expression):
    """Whether an SPDX expression can be met with licences of the list; false for one that cannot be read."""
    # Before 2019 crates wrote "A/B" for "A OR B".
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    try:
        allowed, rest = any_of(tokens)
    except IndexError:
        return False
    return allowed and not rest


def any_of(tokens):
    allowed, tokens = all_of(tokens)
    while tokens[:1] == ["OR"]:
        other, tokens = all_of(tokens[1:])
        allowed = allowed or other
    return allowed, tokens


def all_of(tokens):
    allowed, tokens = one(tokens)
    while tokens[:1] == ["AND"]:
        other, tokens = one(tokens[1:])
        allowed = allowed and other
    return allowed, tokens


def one(tokens):
    if tokens[0] == "(":
        allowed, tokens = any_of(tokens[1:])
        return allowed and tokens[0] == ")", tokens[1:]
    name, tokens = tokens[0], tokens[1:]
    if tokens[:1] == ["WITH"]:
        name, tokens = f"{name} WITH {tokens[1]}", tokens[2:]
    return name in LICENCES, tokens


def check_unused(metadata, sources_of, exceptions):
    """Dependencies whose name never occurs in the crate's sources.

    `sources_of(package, kind)` gives the text in which a dependency of that kind may be used.
    """
    for package in members(metadata):
        for dependency in package["dependencies"]:
            name = dependency["rename"] or dependency["name"]
            word = name.replace("-", "_")
            text = sources_of(package, dependency["kind"])
            if re.search(rf"\b{re.escape(word)}\b", text):
                continue
            if not exceptions.covers("unused", crate=package["name"], dependency=name):
                yield f"crate {short(package['name'])}: dependency {name} is not used"
