# Lints deploy/: Dockerfile, compose file, scrape, unit, and whether they agree with the configuration's own names.
# No engine runs them here.
. scripts/env.sh

python3 scripts/assets venv venv-lint scripts/lint-requirements.txt "hadolint, yamllint and compose-spec, to lint deploy/"
tools=$OCELLI_HOME/venv-lint/bin

"$tools/hadolint" deploy/docker/Dockerfile
"$tools/yamllint" --strict --config-data \
    '{extends: default, rules: {line-length: {max: 130}, document-start: disable}}' deploy
"$tools/python" -m unittest discover --start-directory scripts/deploy --quiet
"$tools/python" scripts/deploy
# The program is not installed there, which is no fault of the unit.
if command -v systemd-analyze >/dev/null; then
    found=$(systemd-analyze verify --man=no deploy/systemd/ocelli.service 2>&1 |
        grep -vF 'ocelli.service: Command /usr/local/bin/ocelli is not executable' || true)
    [ -z "$found" ] || die 1 "$found"
else
    echo "systemd-analyze is missing, so the unit is not verified"
fi
