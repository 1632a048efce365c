"""Where code may be cut: the borders of its outermost definitions, then those of their members, and so on inward.

Runs in the worker: a parser, generated C, meets any bytes.
"""

from bisect import bisect_left
from importlib import import_module
from typing import Any

_DEPTH = 6
_COMMENTS = frozenset({"comment", "line_comment", "block_comment", "attribute_item", "decorator", "preproc_comment"})
_TRANSPARENT = frozenset(
    {"block", "class_body", "declaration_list", "field_declaration_list", "statement_block", "body"}
)


def code_cuts(data: bytes, request: dict[str, Any]) -> dict[str, Any]:
    """UTF-8 source → for each depth of its syntax the character offsets at which a definition or statement begins.

    Only what is larger than `request["max_chars"]` is looked into.
    """
    from tree_sitter import Language, Parser

    module, function = request["grammar"]
    parser = Parser(Language(getattr(import_module(module), function)()))
    levels: list[list[int]] = [[] for _ in range(_DEPTH)]
    _collect(parser.parse(data).root_node, data, levels, 0, request["max_chars"])
    borders = _char_offsets(data, sorted({cut for level in levels for cut in level}))
    return {"cuts": [[borders[cut] for cut in sorted(set(level))] for level in levels]}


def _collect(node: Any, data: bytes, levels: list[list[int]], depth: int, max_chars: int) -> None:
    # What opens a body stays with its head, a comment or decorator with what follows it.
    glued = node.type in _TRANSPARENT
    for child in node.children:
        begins_line = not data[child.start_byte - child.start_point.column : child.start_byte].strip()
        if child.is_named and begins_line and not glued and child.type not in _TRANSPARENT:
            levels[depth].append(child.start_byte - child.start_point.column)
        if child.is_named and begins_line:
            glued = child.type in _COMMENTS and _touches_next(child)
        inward = depth if child.type in _TRANSPARENT else depth + 1
        if child.end_byte - child.start_byte > max_chars and inward < len(levels):
            _collect(child, data, levels, inward, max_chars)


def _touches_next(node: Any) -> bool:
    following = node.next_named_sibling
    return following is not None and following.start_point.row <= node.end_point.row + 1


def _char_offsets(data: bytes, offsets: list[int]) -> dict[int, int]:
    """Byte offsets → character offsets, in one pass."""
    found: dict[int, int] = {}
    characters = previous = 0
    for offset in offsets[: bisect_left(offsets, len(data) + 1)]:
        characters += len(data[previous:offset].decode("utf-8", "replace"))
        found[offset] = characters
        previous = offset
    return found
