"""Who may know whom: the import rules of docs/architecture.md, checked from the source."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.tidy.sources import Module, modules, rooms_imported, third_parties

BASE = {"errors", "model", "codec"}
PURE_READS = BASE | {"resources"}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors"},
    "codec": {"errors", "model"},
    "resources": {"errors"},
    "documents": {"errors"},
    "schema": {"errors", "documents", "resources"},
    "reading": BASE | {"schema", "documents"},
    "spec": BASE | {"schema", "documents", "reading"},
    "inventory": BASE | {"schema", "documents", "reading"},
    "settings": BASE | {"schema", "documents", "reading"},
    "schedule": BASE,
    "journal": BASE,
    "ese": BASE,
    "powershell": PURE_READS,
    "facts": BASE | {"powershell"},
    "backup": PURE_READS | {"ese", "powershell"},
    "plan": BASE | {"powershell", "backup", "schedule", "facts", "spec"},
    "guard": BASE | {"schedule", "facts"},
    "driver": BASE | {"guard", "schedule", "facts", "powershell", "journal", "backup", "ese"},
    "report": PURE_READS | {"journal"},
    "world": BASE | {"ese", "powershell"},
    "simulation": BASE
    | {
        "driver",
        "world",
        "plan",
        "guard",
        "schedule",
        "facts",
        "powershell",
        "backup",
        "journal",
        "report",
        "ese",
    },
    "notify": BASE,
    "transport": BASE | {"powershell"},
    "store": BASE | {"ese", "journal"},
    "lab": BASE | {"world", "ese", "powershell"},
    "pyinfra_deploy": BASE
    | {"transport", "facts", "powershell", "store", "inventory", "documents"},
}
PURE = {
    "errors",
    "model",
    "codec",
    "documents",
    "schema",
    "reading",
    "spec",
    "inventory",
    "settings",
    "schedule",
    "journal",
    "ese",
    "powershell",
    "facts",
    "backup",
    "plan",
    "guard",
    "driver",
    "report",
    "world",
    "simulation",
}
BANNED_IN_PURE = {
    "os",
    "subprocess",
    "socket",
    "time",
    "random",
    "threading",
    "logging",
    "shutil",
    "tempfile",
    "asyncio",
}
HOMES: dict[str, set[str]] = {
    "winrm": {"transport"},
    "pypsrp": {"transport"},
    "gevent": {"transport", "app"},
    "pyinfra": {"transport", "pyinfra_deploy"},
    "psrpcore": {"lab", "transport"},
    "spnego": {"lab", "transport"},
    "requests": {"transport"},
    "urllib3": {"transport"},
    "keyring": {"transport"},
    "cryptography": {"lab"},
    "jsonschema": {"schema", "powershell"},
    "yaml": {"documents"},
    "ruamel": {"documents"},
    "jinja2": {"report"},
    "markupsafe": {"report"},
    "numpy": {"ese"},
    "numba": {"ese"},
    "click": {"cli"},
    "rich": {"cli"},
    "cattrs": {"codec"},
    "sqlite3": {"store"},
    "apprise": {"notify"},
}


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_rooms_know_only_what_lies_below_them(module: Module) -> None:
    if module.room in {"app", "cli", "__init__", "__main__"}:
        assert module.room != "app" or "cli" not in rooms_imported(module)
        return
    assert module.room in MAY_IMPORT, f"a room without rules: {module.room}"
    assert rooms_imported(module) <= MAY_IMPORT[module.room]


@pytest.mark.parametrize(
    "module",
    [module for module in modules() if module.room in PURE],
    ids=lambda module: module.name,
)
def test_pure_rooms_touch_nothing(module: Module) -> None:
    allowed = {"resources", "numpy"}
    assert not (third_parties(module) & BANNED_IN_PURE) - allowed
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in {
                "open",
                "print",
                "input",
                "datetime.now",
                "datetime.utcnow",
                "date.today",
            }, f"{module.path.name}:{node.lineno} calls {name}"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_third_parties_have_one_home(module: Module) -> None:
    for name in third_parties(module) - set(sys.stdlib_module_names) | (
        {"sqlite3"} & third_parties(module)
    ):
        if name in {"attrs", "typing_extensions"}:
            continue
        assert name in HOMES, f"{module.name} imports {name}, which has no home"
        assert module.room in HOMES[name], f"{module.name} imports {name}"


def test_only_the_lab_knows_the_lab() -> None:
    may = {"lab", "world", "simulation"}
    for module in modules():
        if module.room in may or module.name in {"app.lab", "cli.lab", "app.rehearse", "app.test"}:
            continue
        touched = rooms_imported(module) & {"lab", "world", "simulation"}
        assert not touched, f"{module.name} imports {touched}"


def test_the_rules_notice_a_breach() -> None:
    broken = Module(
        "plan.x",
        "plan",
        modules()[0].path,
        ast.parse("import goexchange.transport.session\nimport os"),
        "",
    )
    assert not rooms_imported(broken) <= MAY_IMPORT["plan"]
    assert third_parties(broken) & BANNED_IN_PURE
