"""The project's sessions. `tests` is what the README calls; `.ci/run` runs all that can run on one
machine.
"""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True


def _install(session: nox.Session, *extras: str) -> None:
    session.install("-e", f".[{','.join(('test', *extras))}]")


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that decides and everything a user touches: unit, driver, simulation, lab, end to
    end.
    """
    _install(session)
    session.run("pytest", *session.posargs)


@nox.session
def long(session: nox.Session) -> None:
    """What takes minutes of real processes: every script, signal and cancelled pipeline over the
    lab, and every command block of the documents.
    """
    _install(session)
    session.run("pytest", "-m", "long", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style of package, tests and this file."""
    session.install("ruff>=0.8")
    session.run("ruff", "check", "goexchange", "tests", "noxfile.py")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types of the package."""
    _install(session)
    session.run("mypy")


@nox.session
def powershell(session: nox.Session) -> None:
    """Contracts, syntax, and the scripts themselves where a real PowerShell exists."""
    _install(session)
    session.run("pytest", "tests/powershell", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documents as a site, in build/docs; a warning is an error."""
    session.install("-e", ".[docs]")
    command = ("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "build/docs")
    session.run(*command, *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """The wheel, installed in an empty environment without the checkout."""
    session.install("build>=1.2")
    session.run("python", "-m", "build", "--outdir", "dist", ".")


@nox.session
def bench(session: nox.Session) -> None:
    """Figures for docs/benchmarks.md and docs/benchmarks-ese.md, as ratios against a named
    alternative in the same run.
    """
    _install(session)
    session.install("ansible-core>=2.15")
    session.run("python", "-m", "tests.bench.run", *session.posargs)
    session.run("python", "-m", "tests.bench.nights", "--write")
    session.run("python", "-m", "tests.bench.ese", "--out", "docs/benchmarks-ese.md")


@nox.session
def fresh(session: nox.Session) -> None:
    """The wheel installed with pip in an empty environment, and the tutorial and the README's first
    block typed there. Needs a registry of packages; takes some minutes.
    """
    _install(session)
    session.run("python", "-m", "tests.end_to_end.fresh")


@nox.session
def reliability(session: nox.Session) -> None:
    """Nights by seed, crash points, mutants and real kills in full counts; a kind of fault that
    never fires, or a mutant that nobody notices, fails. `-- --seeds 100000` plays more, `--write`
    keeps the figures. Then the other rows of the bar (every zone's clock changes and the coverage
    of the pure core among them), and damaged files.
    """
    _install(session)
    session.run("python", "-m", "tests.reliability.run", *session.posargs)
    session.run("python", "-m", "tests.reliability.rows", "--write")
    session.run("python", "-m", "tests.reliability.fuzz_ese", "--seconds", "60")
