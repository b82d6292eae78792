"""Write docs/reference from the code: the command line, the settings, the HTTP API.

A test compares the pages with what this makes, so that nothing can be added without being named.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic_core import PydanticUndefined
from typer.main import get_command

from studysmart.cli import app as commands
from studysmart.settings import Settings
from studysmart.store import Store
from studysmart.web.app import create_app

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
MADE = "<!-- Made from the code by `make docs`. -->\n\n"


def pages() -> dict[str, str]:
    """File name -> text of each page."""
    return {"cli.md": cli(), "settings.md": settings(), "api.md": api(document())}


def document() -> dict[str, Any]:
    """The OpenAPI document of the application."""
    with TemporaryDirectory() as folder:
        given = Settings(data_dir=Path(folder))
        store = Store(given.database)
        try:
            return create_app(store, given).openapi()
        finally:
            store.close()


def cli() -> str:
    """Every verb of the command line with its options."""
    text = f"# Command line\n\n{MADE}Exit codes: 0 done, 1 refused with one line that says why, "
    text += "2 wrong usage; others are named with their verb.\n"
    root = get_command(commands)
    return text + "".join(_verb(path, verb) for path, verb in verbs(root, "studysmart"))


def verbs(command: Any, path: str) -> list[tuple[str, Any]]:
    """The leaves of the command tree, as they are typed."""
    below = getattr(command, "commands", None)
    if below is None:
        return [(path, command)]
    return [leaf for name, one in below.items() for leaf in verbs(one, f"{path} {name}")]


def _verb(path: str, verb: Any) -> str:
    arguments = [p for p in verb.params if p.param_type_name == "argument"]
    usage = " ".join([path, *(a.name.upper() for a in arguments)])
    rows = [
        [f"`{p.name.upper()}`" if p in arguments else f"`{', '.join(p.opts)}`",
         getattr(p, "help", "") or "", f"`{p.envvar}`" if p.envvar else ""]
        for p in verb.params if p.name != "help"
    ]  # fmt: skip
    text = f"\n## `{usage}`\n\n{_paragraphs(verb.help)}\n"
    return text + (_table(["option", "meaning", "environment"], rows) if rows else "")


def settings() -> str:
    """Every setting with its default."""
    rows = []
    for name, field in Settings.model_fields.items():
        if field.default_factory is not None:
            # The platform's data folder is another one on every machine.
            default = "the platform's data folder" if name == "data_dir" else "none"
        elif field.default is PydanticUndefined:
            default = "must be given"
        else:
            default = f"`{str(field.default).lower() if field.default is False else field.default}`"
        rows.append([f"`STUDYSMART_{name.upper()}`", default, field.description or ""])
    return (
        f"# Settings\n\n{MADE}Set in the environment. An option of the [command line](cli.md) wins "
        "over its variable. An impossible value is refused at the start, by name.\n"
        + _table(["variable", "default", "meaning"], rows)
    )


def api(openapi: dict[str, Any]) -> str:
    """Every route with its body and its answer."""
    groups: dict[str, list[str]] = {}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_route(method, path, operation))
    schemas = openapi["components"]["schemas"]
    shown = "".join(
        f"\n### {name}\n\n{_paragraphs(schema.get('description'))}\n{_fields(schema)}"
        for name, schema in sorted(schemas.items())
        if "properties" in schema
    )
    return (
        f"# HTTP API\n\n{MADE}A running server shows the same at `/api/docs`; programs read "
        "`/api/openapi.json`. Sign in with a session cookie (`POST /api/auth/login`) or send "
        "`Authorization: Bearer …` with a token of `POST /api/auth/tokens`; an installation "
        "without accounts that listens on loopback only needs neither. Every failure answers with "
        "a [Problem](#problem).\n"
        + "".join(f"\n## {tag.capitalize()}\n{''.join(items)}" for tag, items in groups.items())
        + f"\n## Bodies\n{shown}"
    )


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"\n**`{method.upper()} {path}`** — {_line(operation.get('description'))}"]
    asked = [p for p in operation.get("parameters", []) if p["in"] == "query"]
    if asked:
        named = ", ".join(f"`{p['name']}`" for p in asked)
        parts.append(f"Query: {named}.")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        parts.append(f"Body: {_type(body['schema'])}.")
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            content = answer.get("content", {})
            schema = content.get("application/json", {}).get("schema")
            shape = _type(schema) if schema else ", ".join(f"`{kind}`" for kind in content)
            parts.append(f"Answer: {status}{', ' + shape if shape else ''}.")
    return " ".join(parts) + "\n"


def _fields(schema: dict[str, Any]) -> str:
    required = set(schema.get("required", []))
    rows = [
        [f"`{name}`", _type(field), _limits(field), "yes" if name in required else "",
         _line(field.get("description"))]
        for name, field in schema["properties"].items()
    ]  # fmt: skip
    return _table(["field", "type", "limits", "required", "meaning"], rows)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")


def _limits(schema: dict[str, Any]) -> str:
    signs = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
    sizes = {"minLength": "≥", "maxLength": "≤", "minItems": "≥", "maxItems": "≤"}
    found = []
    for one in [schema, *schema.get("anyOf", [])]:
        found += [f"{sign} {one[key]:g}" for key, sign in signs.items() if key in one]
        for key, sign in sizes.items():
            if key in one:
                found.append(f"{sign} {one[key]} {'items' if 'Items' in key else 'characters'}")
    return ", ".join(found)


def _paragraphs(text: str | None) -> str:
    blocks = (text or "").replace("\b", "").strip().split("\n\n")
    return "\n\n".join(" ".join(block.split()) for block in blocks)


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _table(head: list[str], rows: list[list[str]]) -> str:
    # A column that says nothing in any row is left out.
    used = [k for k in range(len(head)) if any(row[k] for row in rows)]
    lines = [[head[k] for k in used], ["---"] * len(used)]
    lines += [[row[k].replace("|", "\\|") for k in used] for row in rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
        sys.stderr.write(f"docs/reference/{name}\n")
