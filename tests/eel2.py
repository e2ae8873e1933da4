"""EEL2, the language of REAPER's JSFX: as much of it as our effects use, read into trees.

Names are the same in upper and lower case. Operators bind as the manual of REAPER lists them, tightest first:
! and unary minus, ^, %, /, *, -, +, comparisons, && and ||, ?:, assignments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>\d+\.?\d*|\.\d+)|(?P<name>[a-z_$][a-z0-9_]*)"
    r"|(?P<operator>[-+*/]=|[<>=!]=|&&|\|\||[-+*/%^<>=!?:;,()\[\]])",
    re.DOTALL,
)
# Binary operators, loosest first.
_LEVELS = (("&&", "||"), ("<", ">", "<=", ">=", "==", "!="), ("+",), ("-",), ("*",), ("/",), ("%",), ("^",))
_ASSIGNMENTS = ("=", "+=", "-=", "*=", "/=")

Node = tuple[Any, ...]


def tokens(code: str) -> list[str]:
    """The words of a piece of code, in lower case, without comments."""
    code, found, at = code.lower(), [], 0
    while at < len(code):
        match = _TOKEN.match(code, at)
        if match is None:
            raise SyntaxError(f"not EEL2: {code[at : at + 30]!r}")
        if match.lastgroup != "space":
            found.append(match[0])
        at = match.end()
    return found


def one_spelling(code: str) -> None:
    """Fails if two names differ in upper and lower case alone: EEL2 takes them for one variable."""
    spellings: dict[str, str] = {}
    for word in re.findall(r"[A-Za-z_]\w*", re.sub(r"//[^\n]*|\"[^\"]*\"", "", code)):
        assert spellings.setdefault(word.lower(), word) == word, f"{word} is also {spellings[word.lower()]}"


@dataclass
class Function:
    """A function of the code."""

    params: list[str]
    locals: list[str]
    body: Node


class Parser:
    """Words to a tree of tuples, and the functions that are defined on the way."""

    def __init__(self, code: str, functions: dict[str, Function]) -> None:
        self.words = tokens(code)
        self.at = 0
        self.functions = functions

    def program(self) -> Node:
        """Everything up to the end."""
        tree = self._sequence("")
        assert self.at == len(self.words), self.words[self.at :][:5]
        return tree

    def _peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def _take(self, *wanted: str) -> str:
        word = self._peek()
        if wanted and word not in wanted:
            raise SyntaxError(f"{word!r} where one of {wanted} should be, after {self.words[: self.at][-8:]}")
        self.at += 1
        return word

    def _sequence(self, end: str) -> Node:
        steps = []
        while self._peek() != end:
            if self._peek() == "function":
                self._function()
            else:
                steps.append(self._expression())
            if self._peek() != end:
                self._take(";")
        return ("sequence", steps)

    def _names(self) -> list[str]:
        self._take("(")
        names = []
        while self._peek() != ")":
            names.append(self._take())
            if self._peek() == ",":
                self._take()
        self._take(")")
        return names

    def _function(self) -> None:
        self._take("function")
        name, params, inner = self._take(), self._names(), []
        if self._peek() == "local":
            self._take()
            inner = self._names()
        self._take("(")
        body = self._sequence(")")
        self._take(")")
        self.functions[name] = Function(params, inner, body)

    def _expression(self) -> Node:
        left = self._binary(0)
        if self._peek() == "?":
            self._take()
            yes, no = self._expression(), None
            if self._peek() == ":":
                self._take()
                no = self._expression()
            return ("if", left, yes, no)
        if self._peek() in _ASSIGNMENTS:
            operator = self._take()
            assert left[0] in ("name", "memory"), f"assignment to {left}"
            return ("set", operator, left, self._expression())
        return left

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            operator = self._take()
            left = ("binary", operator, left, self._binary(level + 1))
        return left

    def _unary(self) -> Node:
        if self._peek() in ("-", "!"):
            return ("unary", self._take(), self._unary())
        node = self._atom()
        while self._peek() == "[":
            self._take()
            node = ("memory", node, self._expression())
            self._take("]")
        return node

    def _atom(self) -> Node:
        word = self._take()
        if word == "(":
            tree = self._sequence(")")
            self._take(")")
            return tree
        if word[0].isdigit() or word[0] == ".":
            return ("number", word)
        if word == "$pi":
            return ("number", "math.pi")
        if self._peek() != "(":
            return ("name", word)
        self._take("(")
        arguments = []
        while self._peek() != ")":
            arguments.append(self._expression())
            if self._peek() == ",":
                self._take()
        self._take(")")
        return ("call", word, arguments)
