"""Fuzzing of the policy parser by a mutator that knows the language, led by the branches that texts take (`make sweep`).

Texts that take a new branch are kept under `.assay/fuzz/policy-corpus/` and start the next run, those that break a
promise under `.assay/fuzz/policy-words/`. `ASSAY_FUZZ_SECONDS` is the budget (60 unless set).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from assay.claims import Claim, ClaimSet
from assay.errors import PolicyDenied, PolicyError, PolicyEvaluationError, PolicyParsingError
from assay.policy.evaluation import compile_afresh
from tests.policy import naive
from tests.shared_vectors import SHARED

from .policy_branches import FOLDER, PARSERS, Branch, branches_taken
from .policy_words import SEEDS, mutate

SECONDS = float(os.environ.get("ASSAY_FUZZ_SECONDS", "60"))
ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".assay" / "fuzz" / "policy-words"
CORPUS = ROOT / ".assay" / "fuzz" / "policy-corpus"
INCOMING = ClaimSet([Claim("a", 1), Claim("e", '{"a":[{"b":1}]}'), Claim("x", True), Claim("pcrs", "{}")])
# The naive reader has no limits and is slow.
_LIMITS = ("deeper than", "more than")
_MOST_NAIVE = 1500
_MOST_CONDITIONS = 3


def _keep(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = text.encode("utf-8", "surrogatepass")
    (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


def _kept(folder: Path) -> list[str]:
    return [path.read_bytes().decode("utf-8", "surrogatepass") for path in sorted(folder.glob("*"))]


def _seeds() -> list[str]:
    collected = sorted((SHARED / "spec/policies").glob("*.policy"))
    return [*SEEDS, *(path.read_bytes().decode("utf-8") for path in collected if path.stat().st_size < 4000)]


def _is_refused_by_the_naive(text: str) -> bool:
    try:
        naive.read(text)
    except naive.Refused:
        return True
    return False


def _try(text: str) -> None:
    """A text is refused or is a policy, for both readers; a policy gives an outcome or a `PolicyError`."""
    is_small = len(text) < _MOST_NAIVE and text.isascii()
    policy, problem = None, ""
    try:
        policy = compile_afresh(text)
    except PolicyParsingError as error:
        problem = str(error)
    if is_small and not any(limit in problem for limit in _LIMITS):
        assert _is_refused_by_the_naive(text) == (policy is None), problem
    if policy is None:
        return
    ending: object
    try:
        outcome = policy.evaluate(INCOMING)
        ending = (list(outcome.issued), list(outcome.properties))
    except PolicyDenied:
        ending = naive.Denied
    except PolicyEvaluationError:
        ending = naive.Failed
    if is_small and text.count("&&") <= _MOST_CONDITIONS:
        expected = naive.evaluate(naive.read(text), INCOMING)
        if not (expected.perhaps_failed and ending is naive.Failed):
            assert ending == (expected.ending or (expected.issued, expected.properties))


def _judge(text: str) -> None:
    try:
        _try(text)
    except BaseException:
        _keep(KEPT, text)
        raise


def _parse(text: str) -> None:
    with contextlib.suppress(PolicyError):
        compile_afresh(text)


def parse_corpus() -> None:
    """Reads every seed and every text that was kept for a branch that it took."""
    for text in (*_seeds(), *_kept(CORPUS)):
        _parse(text)


def _take(text: str) -> set[Branch]:
    return branches_taken(partial(_parse, text))


@pytest.mark.sweep
def test_mutated_policies_are_read_alike_by_both_readers() -> None:
    for text in _kept(KEPT):
        _judge(text)
    chance = random.Random(f"policy-words {SECONDS}")
    pool = [*_seeds(), *_kept(CORPUS)]
    known: set[Branch] = set()
    for text in pool:
        known |= _take(text)
    started = len(known)
    deadline, tried = time.monotonic() + SECONDS, 0
    while time.monotonic() < deadline:
        text = mutate(chance.choice(pool), chance, pool)
        _judge(text)
        tried += 1
        taken = _take(text)
        if not taken <= known:
            known |= taken
            pool.append(text)
            _keep(CORPUS, text)
    print(
        f"\npolicy-words: {tried} texts, {len(known)} branches ({started} at the start), {len(pool)} texts in the pool"
    )
    assert tried > 50


@pytest.mark.sweep
def test_every_branch_of_the_parsers_is_reached_by_tests_and_corpus(tmp_path: Path) -> None:
    """By the unit tests of the language and the texts of the corpus; those that are not are printed."""
    replay = tmp_path / "replay.py"
    replay.write_text(
        "from tests.sweep.test_policy_fuzz import parse_corpus\n\ndef test_replay():\n    parse_corpus()\n"
    )
    tests = [
        "test_parser.py",
        "test_limits.py",
        "test_readings.py",
        "test_corpus.py",
        "test_function_vectors.py",
        "jmespath",
    ]
    paths = [str(ROOT / "tests/policy" / name) for name in tests]
    environment = {**os.environ, "COVERAGE_FILE": str(tmp_path / "coverage"), "PYTHONPATH": str(ROOT)}
    coverage = [sys.executable, "-m", "coverage"]
    arguments = [
        "run",
        "--branch",
        f"--source={FOLDER}",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *paths,
        str(replay),
    ]
    subprocess.run([*coverage, *arguments], check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    report = tmp_path / "coverage.json"
    subprocess.run([*coverage, "json", "-q", "-o", str(report)], check=True, cwd=ROOT, env=environment)
    measured = json.loads(report.read_text("utf-8"))["files"]
    unreached = []
    for name in PARSERS:
        found = next(one for path, one in measured.items() if path.endswith(f"policy/{name}.py"))
        assert found["summary"]["num_statements"] > 0
        unreached += [f"{name}.py:{line}" for line in found["missing_lines"]]
        unreached += [f"{name}.py:{start} -> {end}" for start, end in found["missing_branches"]]
    print("\nunreached:", *unreached, sep="\n  ")
    assert unreached == []
