"""`make generate`: the contract in, `generated/` and `deploy/` out. Alike gives the same bytes.

python -m tools.generate            write the files
python -m tools.generate --check    exit 1 where they are not what the contract says
"""

import argparse
import filecmp
import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import jinja2

from tools import rules
from tools.board import deployed
from tools.bundler import bundle, error_codes
from tools.contract import (
    CONTRACT,
    ROOT,
    ContractError,
    Json,
    Operation,
    operations,
    pascal_case,
    snake_case,
)
from tools.docs import write_documents
from tools.events import events_context
from tools.metrics import metrics_context
from tools.model_types import complete
from tools.operations import security_schemes, tag_context
from tools.steps import own_parameters
from tools.triggers import triggers_context

# In these nobody else writes: what the contract does not make goes.
OURS = ("generated", "docs/CONTRACTS")
TEMPLATES = Path(__file__).parent / "templates"
HEADER = "# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract."
OWN_SCALARS = {name: f"generated.runtime.scalars.{name}" for name in ("Timestamp", "Uuid")}
# Of several forms: a handler chooses one, whose errors are told. A union of models would tell those
# of all of them.
OWN_SCALARS["AnyPluginManifestV1"] = "generated.runtime.scalars.FreeObject"
SERVICES = {"openapi.yaml": "core", "plugin.openapi.yaml": "plugin"}

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701  # it is Python that is written, not HTML  # nosec B701
)
_templates.filters["snake"] = snake_case
_templates.filters["pyrepr"] = lambda value: json.dumps(value) if value is not None else "None"


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args(arguments).check
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        try:
            generate(fresh)
        except Exception as error:
            faults = faults_behind(error)
            if not faults:
                raise
            print("nothing is generated: the contract is not whole", file=sys.stderr)
            print(*faults, sep="\n", file=sys.stderr)
            return 1
        stale = differences(fresh, root)
        if check:
            for name in stale:
                print(f"stale: {name} (run `make generate`)", file=sys.stderr)
            return 1 if stale else 0
        replace(fresh, root, stale)
    print(f"generated files are up to date ({len(stale)} changed)")
    return 0


def faults_behind(error: Exception) -> list[str]:
    """What is wrong with the contract, on which the generator stumbled; none: it is its own fault.

    The generator takes for granted what the rules demand, so it fails with any error.
    """
    if isinstance(error, ContractError):
        return [str(error)]
    try:
        return rules.findings()
    except ContractError as broken:
        return [str(broken)]


def generate(root: Path) -> None:
    """Writes below `root` what the contract makes: the edge, documents, what operators load."""
    write_edge(root / "generated")
    write_documents(root / "docs")
    for name, text in deployed(bundle("openapi.yaml")["x-metrics"]).items():
        write(root / name, text)


def write_edge(target: Path) -> None:
    documents = {name: bundle(name) for name in SERVICES}
    events = bundle("events.asyncapi.yaml")
    copy_runtime(target)
    write(target / "__init__.py", f'{HEADER}\n"""The edge, made from the contract."""\n')
    write_models(target, documents)
    render(target / "errors.py", "errors.py.j2", codes=error_codes())
    render(target / "events.py", "events.py.j2", **events_context(events))
    render(target / "triggers.py", "triggers.py.j2", **triggers_context())
    write_document(target / "events.asyncapi.json", events)
    render(target / "limits.py", "limits.py.j2", limits=default_limits(documents["openapi.yaml"]))
    metrics = metrics_context(documents["openapi.yaml"], events, list(error_codes()))
    render(target / "metrics.py", "metrics.py.j2", **metrics)
    for name, document in documents.items():
        write_service(target / SERVICES[name], SERVICES[name], document)
        write_document(target / name.replace(".yaml", ".json"), document)
    tidy(target)


def default_limits(document: Json) -> list[Json]:
    """One of each partition; a rule sees to it that all operations say the same of it."""
    limits = (limit for op in operations(document) for limit in op.spec.get("x-rate-limit", []))
    return [limit for _, limit in sorted({limit["by"]: limit for limit in limits}.items())]


def write_document(path: Path, document: Json) -> None:
    write(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def copy_runtime(target: Path) -> None:
    for source in sorted((TEMPLATES / "runtime").glob("*.py")):
        write(target / "runtime" / source.name, f"{HEADER}\n{source.read_text()}")


def write_service(folder: Path, name: str, document: Json) -> None:
    """One package a contract: its security, and a module for each tag."""
    title = document["info"]["title"]
    write(folder / "__init__.py", f'{HEADER}\n"""{title}."""\n')
    schemes = security_schemes(document)
    scopes = sorted({scope for op in operations(document) for scope in all_scopes(op)})
    render(folder / "security.py", "security.py.j2", title=title, schemes=schemes, scopes=scopes)
    for tag in document["tags"]:
        context = tag_context(document, tag["name"], f"generated.{name}.security")
        render(folder / f"{tag['name']}.py", "operations.py.j2", title=title, **context)


def all_scopes(operation: Operation) -> list[str]:
    needs = operation.spec["security"]
    return [scope for need in needs for group in need.values() for scope in group]


def write_models(target: Path, documents: dict[str, Json]) -> None:
    """datamodel-code-generator's part: a model for each schema, and for each set of parameters."""
    schemas: dict[str, Any] = {}
    for document in (*documents.values(), bundle("events.asyncapi.yaml")):
        schemas |= document["components"]["schemas"]
        if "paths" in document:
            for operation in operations(document):
                schemas |= parameter_schemas(operation)
    source = {
        "openapi": "3.1.0",
        "info": {"title": "botcore", "version": "v1alpha"},
        "paths": {},
        "components": {"schemas": without_content(dict(sorted(schemas.items())))},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schemas.json"
        path.write_text(json.dumps(source))
        run_model_generator(path, target / "models.py")
    complete(target / "models.py", schemas)


def without_content(node: Any) -> Any:
    """Without the schemas of what strings hold: a model of a string would keep them as references
    into this document, which its own JSON schema does not have."""
    if isinstance(node, dict):
        return {
            key: without_content(value) for key, value in node.items() if key != "contentSchema"
        }
    return [without_content(value) for value in node] if isinstance(node, list) else node


def parameter_schemas(operation: Operation) -> dict[str, Json]:
    """`<Operation>Path`, `<Operation>Query`, `<Operation>Header`: unknown members are refused."""
    found = {}
    for location in ("path", "query", "header"):
        parameters = own_parameters(operation, location)
        if parameters:
            found[f"{operation.pascal}{location.capitalize()}"] = {
                "type": "object",
                "description": f"The {location} parameters of {operation.id}.",
                "additionalProperties": False,
                "required": [item["name"] for item in parameters if item["required"]],
                "properties": {item["name"]: item["schema"] for item in parameters},
            }
    return found


def run_model_generator(source: Path, target: Path) -> None:
    options = [
        "--input-file-type=openapi", "--openapi-scopes=schemas",
        "--output-model-type=pydantic_v2.BaseModel", "--target-python-version=3.11",
        "--target-pydantic-version=2.12", "--schema-version=3.1", "--schema-version-mode=strict",
        "--strict-refs", "--no-allow-remote-refs", "--use-annotated", "--strict-nullable",
        "--field-constraints", "--enum-field-as-literal=all", "--use-type-alias",
        "--use-standard-collections", "--use-union-operator", "--use-double-quotes",
        "--use-schema-description", "--disable-timestamp", "--disable-future-imports",
        "--use-default-kwarg", "--ignore-pyproject", "--type-mappings=string+uri=string",
        f"--type-overrides={json.dumps(OWN_SCALARS)}",
        f"--custom-file-header={HEADER}",
        "--formatters=builtin",
    ]  # fmt: skip
    command = [sys.executable, "-m", "datamodel_code_generator", "--input", str(source)]
    done = subprocess.run(
        [*command, "--output", str(target), *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"datamodel-code-generator failed:\n{done.stderr}")


def render(path: Path, template: str, **context: Any) -> None:
    text = _templates.get_template(template).render(
        header=HEADER, pascal=pascal_case, snake=snake_case, wrapped=wrapped, **context
    )
    write(path, text)


def wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 84, drop_whitespace=False)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def tidy(folder: Path) -> None:
    """One formatter for all that was written, by the project's own rules."""
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "--quiet"]
    imports = ["check", "--select", "I,F401", "--fix", *config, str(folder)]
    subprocess.run([*ruff, *imports], check=True)
    subprocess.run([*ruff, "format", *config, str(folder)], check=True)


def differences(fresh: Path, old: Path) -> list[str]:
    """The generated files that `old` lacks, has otherwise, or has too many of."""

    def names(root: Path, part: str) -> set[str]:
        found = (path for path in (root / part).rglob("*") if path.is_file())
        return {str(path.relative_to(root)) for path in found if path.suffix != ".pyc"}

    def same(name: str) -> bool:
        return (old / name).is_file() and filecmp.cmp(fresh / name, old / name, shallow=False)

    made = names(fresh, ".")
    too_many = {name for part in OURS for name in names(old, part)} - made
    return sorted(too_many | {name for name in made if not same(name)})


def replace(fresh: Path, old: Path, stale: list[str]) -> None:
    for name in stale:
        if (fresh / name).is_file():
            (old / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh / name, old / name)
        else:
            (old / name).unlink()


if __name__ == "__main__":
    if not CONTRACT.is_dir():
        raise SystemExit(f"{CONTRACT}: no contract here")
    sys.exit(main())
