"""The page at `/api/docs`.

The OpenAPI document, readable, without a script and without another host.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:.875rem/1.5 ui-monospace,monospace}
pre{overflow:auto;padding:.75rem;border:1px solid #8884;border-radius:8px}
summary{cursor:pointer;padding:.5rem 0}
details{border-bottom:1px solid #8884}
b.m{display:inline-block;min-width:4.5rem}
"""


def page(document: dict[str, Any]) -> str:
    """The OpenAPI document as one HTML page."""
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            groups.setdefault(tag, []).append(_operation(path, method, operation, document))
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(items)}" for tag, items in groups.items())
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>StudySmart API</title><style>{_STYLE}</style></head><body>"
        f"<h1>StudySmart API <small>{escape(document['info']['version'])}</small></h1>"
        "<p>Errors have one shape: <code>detail</code> (for people), <code>code</code> (for "
        "programs), <code>request_id</code>. Sign in with a session cookie "
        "(<code>POST /api/auth/login</code>) or send <code>Authorization: Bearer …</code>. "
        "The machine-readable document is <a href='/api/openapi.json'>/api/openapi.json</a>.</p>"
        f"{sections}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    parts = [f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>"]
    parts += [
        f"<p><code>{escape(parameter['name'])}</code> in {escape(parameter['in'])}, "
        f"{'required' if parameter.get('required') else 'optional'}</p>"
        for parameter in operation.get("parameters", [])
        if parameter["in"] != "cookie"
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        parts.append(f"<p>Body</p><pre>{_shape(body['schema'], document)}</pre>")
    for status, response in operation.get("responses", {}).items():
        content = response.get("content", {}).get("application/json")
        if status.startswith("2") and content:
            parts.append(
                f"<p>Answer {escape(status)}</p><pre>{_shape(content['schema'], document)}</pre>"
            )
    return (
        f"<details><summary><b class='m'>{escape(method.upper())}</b> "
        f"<code>{escape(path)}</code></summary>{''.join(parts)}</details>"
    )


def _shape(schema: dict[str, Any], document: dict[str, Any]) -> str:
    return escape(json.dumps(_example(schema, document, depth=0), indent=2, ensure_ascii=False))


def _example(schema: dict[str, Any], document: dict[str, Any], *, depth: int) -> Any:
    """The shape of a schema as JSON whose leaves name types."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        shapes = [_example(one, document, depth=depth) for one in schema["anyOf"]]
        if any(isinstance(shape, dict | list) for shape in shapes):
            return next(shape for shape in shapes if isinstance(shape, dict | list))
        return " | ".join(map(str, shapes))
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    if schema.get("type") == "array":
        return [_example(schema.get("items", {}), document, depth=depth + 1)]
    if "properties" in schema and depth < 6:
        return {
            name: _example(one, document, depth=depth + 1)
            for name, one in schema["properties"].items()
        }
    return schema.get("format") or schema.get("type") or "any"
