"""Looks at what training needs: packages, GPU, data, pretrained weights, room for runs. Says what to do about the rest.

python tools/doctor.py                           # the machine, and which known data and weights are there
python tools/doctor.py CONFIG [CONFIG ...]       # what these configs need; exit status 1 if something is missing
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._doctor import configs, data, files, hardware, packages, report, weights  # noqa: E402
from tools._doctor.findings import Finding, failed, run_checks  # noqa: E402
from tools._entry import ROOT  # noqa: E402


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        usage='python -m tools.doctor [CONFIG ...] [--json]',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('configs', nargs='*', metavar='CONFIG', help='config files of planned runs')
    parser.add_argument('--json', action='store_true', help='print JSON instead of lines')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parse_arguments(arguments)
    findings = examine(options.configs)
    if options.json:
        print(report.as_json(findings))
    else:
        report.show(findings)
    return int(failed(findings))


def examine(paths: list[str]) -> list[Finding]:
    """All findings, in the order of the report.

    Args:
        paths: of configs; none = what is known is looked for, and nothing but the environment is needed.
    """
    requirements = (ROOT / 'requirements.txt').read_text(encoding='utf-8').split()
    found = run_checks(
        packages.GROUP,
        [
            packages.check_python,
            packages.check_namesakes,
            partial(packages.check_requirements, requirements),
            packages.check_opencv,
            partial(packages.check_package, ROOT),
        ],
    )
    usable = not failed(found)
    needs = configs.Needs()
    about_configs: list[Finding] = []

    def read() -> list[Finding]:
        nonlocal needs
        needs, read_findings = configs.read_configs(paths)
        return read_findings

    if usable and paths:
        about_configs = run_checks(configs.GROUP, [read, lambda: files.check_files(needs.files)])
    work_dirs = sorted(needs.work_dirs) or ['work_dirs']
    found += run_checks(
        hardware.GROUP,
        [
            *([hardware.check_graphics] if packages.import_problem('torch') is None else []),
            partial(hardware.check_processor, needs.workers),
            partial(hardware.check_shared_memory, needs.workers),
            *(partial(hardware.check_work_dirs, Path(folder)) for folder in work_dirs),
        ],
    )
    if not usable:
        text = 'configs, data and weights are looked at once the packages above work'
        return [*found, Finding(configs.GROUP, 'warn', 'skipped', text)]
    found += about_configs
    if paths:
        found += run_checks(data.GROUP, [partial(data.check_datasets, needs)])
        return found + run_checks(weights.GROUP, [partial(weights.check_weights, needs)])
    found += run_checks(data.GROUP, [lambda: data.check_datasets(configs.known_needs(ROOT), needed=False)])
    return found + run_checks(weights.GROUP, [partial(weights.list_weights, ROOT)])


if __name__ == '__main__':
    # Not run_tool: it stops at a broken mmseg, which is a finding here.
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:  # | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
