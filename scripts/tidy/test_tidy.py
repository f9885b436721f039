"""Each rule is fed something that breaks it, and something that does not."""

import unittest

import crates
import files
from exceptions import Exceptions


def package(name, *dependencies, licence="MIT"):
    """What `cargo metadata` says about a package; a dependency is NAME or (NAME, KIND)."""
    pairs = [item if isinstance(item, tuple) else (item, None) for item in dependencies]
    return {
        "id": f"path+{name}",
        "name": name,
        "license": licence,
        "license_file": None,
        "dependencies": [{"name": other, "kind": kind, "rename": None} for other, kind in pairs],
    }


def workspace(*ours, foreign=()):
    return {"packages": [*ours, *foreign], "workspace_members": [item["id"] for item in ours]}


def exceptions(text=""):
    return Exceptions(text)


class Edges(unittest.TestCase):
    def check(self, metadata, expected):
        self.assertEqual([problem.split(":")[0] for problem in crates.check_edges(metadata)], expected)

    def test_edges_of_the_design_pass(self):
        model, media = package("ocelli-model"), package("ocelli-media", "ocelli-model", "serde")
        testkit = package("ocelli-testkit", "ocelli-media")
        engine = package("ocelli-engine", "ocelli-media", ("ocelli-testkit", "dev"))
        self.check(workspace(model, media, testkit, engine), [])

    def test_an_edge_against_the_design_fails(self):
        model, media = package("ocelli-model", "ocelli-media"), package("ocelli-media")
        self.check(workspace(model, media), ["crate model"])

    def test_testkit_outside_tests_fails(self):
        engine, testkit = package("ocelli-engine", "ocelli-testkit"), package("ocelli-testkit")
        self.check(workspace(engine, testkit), ["crate engine"])

    def test_a_development_edge_is_no_way_around(self):
        media, engine = package("ocelli-media", ("ocelli-engine", "dev")), package("ocelli-engine")
        self.check(workspace(media, engine), ["crate media"])

    def test_a_crate_that_no_rule_knows_fails(self):
        self.check(workspace(package("ocelli-utils")), ["crate utils"])


class Licences(unittest.TestCase):
    def test_expressions(self):
        cases = {
            "MIT": True,
            "MIT/Apache-2.0": True,
            "GPL-3.0 OR MIT": True,
            "GPL-3.0 AND MIT": False,
            "(MIT OR GPL-3.0) AND Unicode-3.0": True,
            "(MIT OR GPL-3.0) AND GPL-3.0": False,
            "MIT AND GPL-3.0 OR ISC": True,
            "Apache-2.0 WITH LLVM-exception": True,
            "Apache-2.0 WITH some-exception": False,
            "(MIT": False,
            "MIT OR": False,
            "": False,
            "MIT MIT": False,
        }
        for expression, expected in cases.items():
            with self.subTest(expression):
                self.assertEqual(crates.permitted(expression), expected)

    def test_a_foreign_crate_needs_a_permitted_licence(self):
        foreign = [package("good"), package("bad", licence="AGPL-3.0"), package("none", licence=None)]
        problems = list(crates.check_licences(workspace(package("ocelli-model"), foreign=foreign), exceptions()))
        self.assertEqual([problem.split(":")[0] for problem in problems], ["crate bad", "crate none"])

    def test_an_exception_holds_for_that_licence_only(self):
        named = exceptions('[[licence]]\ncrate = "x"\nlicence = "WTFPL"\nreason = "no condition"\n')
        for licence, count in (("WTFPL", 0), ("GPL-3.0", 1)):
            foreign = [package("x", licence=licence)]
            self.assertEqual(len(list(crates.check_licences(workspace(foreign=foreign), named))), count)


class Unused(unittest.TestCase):
    def problems(self, text, dependency="serde-json", named=""):
        metadata = workspace(package("ocelli-model", dependency))
        return list(crates.check_unused(metadata, lambda _package, _kind: text, exceptions(named)))

    def test_a_name_that_occurs_is_used(self):
        self.assertEqual(self.problems("use serde_json::Value;"), [])

    def test_a_longer_name_is_another_crate(self):
        self.assertEqual(len(self.problems("use serde_json_lines::x;")), 1)

    def test_an_exception_covers_it(self):
        named = '[[unused]]\ncrate = "ocelli-model"\ndependency = "serde-json"\nreason = "linked only"\n'
        self.assertEqual(self.problems("", named=named), [])


class Files(unittest.TestCase):
    def check(self, path, data, problems, warnings=0):
        found, doubtful = files.check_file(path, data, exceptions())
        self.assertEqual((len(found), len(doubtful)), (problems, warnings), (found, doubtful))

    def test_length(self):
        self.check("a.rs", b"\n" * 400, 0)
        self.check("a.rs", b"\n" * 401, 0, 1)
        self.check("a.rs", b"\n" * 801, 1)
        self.check("Cargo.lock", b"\n" * 9000, 0)

    def test_size(self):
        self.check("a.bin", b"\xff" * (1 << 20), 0)
        self.check("a.bin", b"\xff" * ((1 << 20) + 1), 1)

    def test_folders_of_one_machine(self):
        for folder in ("work", "root", "home/someone"):
            self.check("a.md", f"see /{folder}/x".encode(), 1)
        self.check("a.md", b"target/work/x, $HOME/root/x, ~/.local and https://x.example/home/", 0)

    def test_scripts_parse(self):
        self.check("a.py", b"x = 1\n", 0)
        self.check("a.py", b"x = (\n", 1)
        self.assertEqual(files.shell_problems("a.sh", b"if true; then :; fi\n"), [])
        self.assertNotEqual(files.shell_problems("a.sh", b"if true; then\n"), [])

    def test_documents(self):
        self.assertEqual(list(files.check_documents({"ARCHITECTURE.md": "\n" * 250})), [])
        self.assertEqual(len(list(files.check_documents({"ARCHITECTURE.md": "\n" * 251}))), 1)
        self.assertEqual(len(list(files.check_documents({"CHANGELOG.md": None}))), 1)


class NamedExceptions(unittest.TestCase):
    def test_reason_and_fields_are_required(self):
        for text in ('[[long_file]]\npath = "a"\n', '[[long_file]]\nreason = "x"\n', '[[other]]\nreason = "x"\n'):
            self.assertEqual(len(exceptions(text).problems), 1, text)

    def test_one_that_nothing_needs_is_stale(self):
        named = exceptions('[[long_file]]\npath = "a.rs"\nreason = "a table"\n')
        self.assertEqual(len(list(named.stale())), 1)
        self.assertEqual(files.check_file("a.rs", b"\n" * 900, named)[0], [])
        self.assertEqual(list(named.stale()), [])


if __name__ == "__main__":
    unittest.main()
