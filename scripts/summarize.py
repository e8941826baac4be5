#!/usr/bin/env python3
# ===- summarize.py - One line over all test suites -----------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Adds up JUnit reports and ends with `N passed, N failed` alone on a line.

usage: summarize.py NAME=REPORT.xml... [--may-skip PATTERN]

Each suite must have a readable report with at least one test. A skipped test
counts as failed unless its message matches PATTERN (a missing optional tool); an
empty PATTERN matches none.
Exits with 1 when anything failed or nothing ran.
"""

import argparse
import os
import re
import sys
import xml.etree.ElementTree as ElementTree


class Suite:
    """The counts of one report, and a name for everything that went wrong."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.skipped = 0
        self.seconds = 0.0
        self.faults = []

    def read(self, path, may_skip):
        if not os.path.exists(path):
            self.faults.append("wrote no report")
            return
        try:
            root = ElementTree.parse(path).getroot()
        except ElementTree.ParseError as error:
            self.faults.append(f"wrote an unreadable report: {error}")
            return
        for case in root.iter("testcase"):
            self.add(case, may_skip)
        if not self.passed and not self.faults:
            self.faults.append("ran no test")

    def add(self, case, may_skip):
        label = f"{case.get('classname', '')}.{case.get('name', '')}"
        self.seconds += float(case.get("time") or 0)
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            self.faults.append(label)
        elif skip is not None:
            reason = skip.get("message") or (skip.text or "")
            if may_skip and re.search(may_skip, reason):
                self.skipped += 1
            else:
                self.faults.append(f"{label} (skipped: {reason or 'no reason'})")
        else:
            self.passed += 1


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", metavar="NAME=REPORT.xml")
    parser.add_argument("--may-skip", metavar="PATTERN")
    options = parser.parse_args(arguments)

    suites = []
    for report in options.reports:
        name, _, path = report.partition("=")
        suite = Suite(name)
        suite.read(path, options.may_skip)
        suites.append(suite)

    passed = sum(suite.passed for suite in suites)
    failed = sum(len(suite.faults) for suite in suites)
    print()
    for suite in suites:
        skipped = f", {suite.skipped} left out: optional tool missing"
        print(
            f"{suite.name:10} {suite.passed:5} ok, {len(suite.faults)} wrong"
            f"{skipped if suite.skipped else ''}  ({suite.seconds:.0f} s)"
        )
        for fault in suite.faults:
            print(f"  wrong: {fault}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
