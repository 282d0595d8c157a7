"""The verbs `init` and `import`: a repository to start from, drafts from what servers report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from goexchange import resources
from goexchange.errors import InvalidDocument

_FILES = {
    "goexchange.yaml": "configuration.yaml",
    "inventory/site.yaml": "inventory.yaml",
    "specs/preventative.yaml": "specification.yaml",
    "specs/tests/preventative.test.yaml": "specification-test.yaml",
    "specs/tests/example.facts.json": "example.facts.json",
    ".vscode/settings.json": "vscode-settings.json",
    ".gitignore": "gitignore",
}
PIPELINES = {
    "github": (".github/workflows/goexchange.yml", "github.yml"),
    "gitlab": (".gitlab-ci.yml", "gitlab.yml"),
    "azure": ("azure-pipelines.yml", "azure.yml"),
}


@frozen(kw_only=True)
class Started:
    """Which files were written, and which were there already and stay as they are."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def start_repository(folder: Path, *, pipeline: str | None) -> Started:
    """Write the files of a new repository; an existing file is never touched.

    Raises: InvalidDocument when the folder cannot be written.
    """
    texts = {path: resources.starter_text(name) for path, name in _FILES.items()}
    for kind in resources.schema_kinds():
        texts[f"schemas/{kind}.v1.json"] = resources.schema_text(kind)
    if pipeline is not None:
        path, name = PIPELINES[pipeline]
        texts[path] = resources.starter_text(name)
        texts["approvals/README.md"] = resources.starter_text("approvals.md")
    return write_new(folder, texts)


def write_new(folder: Path, texts: Mapping[str, str]) -> Started:
    """Write files that are not there yet. Raises: InvalidDocument."""
    written, kept = [], []
    for name, text in texts.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            written.append(name)
        except FileExistsError:
            kept.append(name)
        except OSError as error:
            raise InvalidDocument(f"{path} cannot be written: {error.strerror}") from error
    return Started(written=tuple(written), kept=tuple(kept))
