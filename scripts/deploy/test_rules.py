"""Each rule finds the fault that it is there for."""

import copy
import unittest

import files
import rules

LOADED = files.load()


def service(found):
    return found["compose"]["services"]["ocelli"]


def replace(instruction, old, new):
    """A fault in the Dockerfile: `old` of an instruction becomes `new`."""

    def fault(found):
        lines = found["dockerfile"]
        changed = [(name, words.replace(old, new) if name == instruction else words) for name, words in lines]
        assert changed != lines, (instruction, old)
        found["dockerfile"] = changed

    return fault


FAULTS = {
    "services.ocelli.portz": lambda found: service(found).update(portz=[]),
    "read_only is not True": lambda found: service(found).update(read_only=False),
    "cap_drop is not": lambda found: service(found).pop("cap_drop"),
    "USER root is not": replace("USER", "10001:10001", "root"),
    "/app/frames is no volume of the image": replace("VOLUME", ', "/app/frames"', ""),
    "compose.yaml: the configuration has no name OUTPUT_FOLDERS": lambda found: service(found)["environment"].update(
        OUTPUT_FOLDERS="x"
    ),
    "Dockerfile: the configuration has no name OCELLI_HOMES": replace("ENV", "OCELLI_HOME=", "OCELLI_HOMES="),
    "ocelli.service: the configuration has no name OCELLI_LOGS": lambda found: found.update(
        unit=found["unit"].replace("OCELLI_LOG_FORMAT", "OCELLI_LOGS")
    ),
    "./absent.toml is not there": lambda found: service(found)["volumes"].append("./absent.toml:/etc/x:ro"),
    "access.anonymous is not one rule": lambda found: found["config"]["access"]["anonymous"][0].update(
        networks=["0.0.0.0/0"]
    ),
    "EXPOSE is not the port 8002": replace("EXPOSE", "8002", "80"),
    "is open to other machines": lambda found: service(found).update(ports=["8002:8002"]),
    "does not lead to port 8002": lambda found: service(found).update(ports=["127.0.0.1:8002:80"]),
    "prometheus.yml: ocelli:80 is not": lambda found: found["prometheus"]["scrape_configs"][0].update(
        static_configs=[{"targets": ["ocelli:80"]}]
    ),
    "compose.yaml: stop_grace_period is not longer": lambda found: service(found).update(stop_grace_period="30s"),
    "the health check is not": lambda found: service(found)["healthcheck"].update(test=["CMD", "curl", "x"]),
    "HEALTHCHECK does not ask": replace("HEALTHCHECK", "ocelli", "curl"),
    "instead of ocelli serve": replace("CMD", "serve", "doctor"),
    "the image is not that of version": lambda found: service(found).update(image="ocelli:latest"),
    "it does not build with Rust": replace("FROM", "rust:1.95", "rust:1.80"),
    ".dockerignore: crates is kept out": lambda found: found["dockerignore"].remove("!crates"),
    "tools/absent is not there": replace("COPY", "tools/models tools/models", "tools/absent tools/absent"),
    "the build needs libx-dev": replace("RUN", "nasm", "libx-dev"),
    "the image has no libswscale": replace("RUN", "libswscale6", "libpostproc56"),
}


class Rules(unittest.TestCase):
    def test_each_fault_is_found(self):
        for words, fault in FAULTS.items():
            with self.subTest(words):
                found = copy.deepcopy(LOADED)
                fault(found)
                problems = list(rules.problems(found, files.exists))
                self.assertTrue(any(words in problem for problem in problems), problems)

    def test_the_files_as_they_are(self):
        self.assertEqual(list(rules.problems(LOADED, files.exists)), [])


if __name__ == "__main__":
    unittest.main()
