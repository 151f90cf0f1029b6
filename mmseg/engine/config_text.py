"""A config as text, as logs and checkpoints keep it: read without running it."""

from __future__ import annotations

import ast
from typing import Any

NUMBERS = {'inf': float('inf'), 'nan': float('nan')}


def read_config_text(text: str) -> dict[str, Any]:
    """The settings of a resolved config that was written as Python.

    Config files are programs; the text in a checkpoint may come from anybody, so only what a resolved config consists
    of is understood: assignments of literals, ``dict(...)`` and ``float(...)``.

    Raises:
        ValueError: there is something else in it.
    """
    try:
        lines = ast.parse(text).body
    except SyntaxError as error:
        raise ValueError(f'not the text of a config: {error}') from None
    settings = {}
    for line in lines:
        if not isinstance(line, ast.Assign) or len(line.targets) != 1 or not isinstance(line.targets[0], ast.Name):
            raise ValueError(f'not the text of a resolved config, line {line.lineno}: {ast.unparse(line)[:60]}')
        settings[line.targets[0].id] = _value(line.value)
    return settings


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        values = [_value(item) for item in node.elts]
        return values if isinstance(node, ast.List) else tuple(values)
    if isinstance(node, ast.Dict):
        pairs = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
        if len(pairs) == len(node.keys):
            return {_value(key): _value(value) for key, value in pairs}
    if isinstance(node, ast.Set):
        return {_value(item) for item in node.elts}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Name) and node.id in NUMBERS:
        return NUMBERS[node.id]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        named = {keyword.arg: _value(keyword.value) for keyword in node.keywords if keyword.arg is not None}
        if node.func.id == 'dict' and len(named) == len(node.keywords):
            # Keys that are no names stand in a dict of their own.
            return {key: value for part in node.args for key, value in dict(_value(part)).items()} | named
        if node.func.id == 'float' and len(node.args) == 1 and not node.keywords:
            return float(_value(node.args[0]))
    raise ValueError(f'not a value of a resolved config, line {node.lineno}: {ast.unparse(node)[:60]}')
