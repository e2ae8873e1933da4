"""EEL2, the language of REAPER's JSFX: as much of it as our effects use, translated to Python and compiled.

All numbers are doubles. What counts as true is 0.00001 or more away from zero, and `==` is as lenient. An
index is truncated after adding 0.00001. Names are the same in upper and lower case. Operators bind as the
manual of REAPER lists them, tightest first: ! and unary minus, ^, %, /, *, -, +, comparisons, && and ||, ?:,
assignments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

TRUE_FROM = 1e-5
_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>\d+\.?\d*|\.\d+)|(?P<name>[a-z_$][a-z0-9_]*)"
    r"|(?P<operator>[-+*/]=|[<>=!]=|&&|\|\||[-+*/%^<>=!?:;,()\[\]])",
    re.DOTALL,
)
# Binary operators, loosest first.
_LEVELS = (("&&", "||"), ("<", ">", "<=", ">=", "==", "!="), ("+",), ("-",), ("*",), ("/",), ("%",), ("^",))
_ASSIGNMENTS = ("=", "+=", "-=", "*=", "/=")
_BUILT_IN = {
    **{name: f"math.{name}" for name in ("sin", "cos", "tan", "exp", "log", "log10", "sqrt", "pow")},
    **{name: name for name in ("abs", "min", "max")},
    "floor": "np.floor",
    "ceil": "np.ceil",
}

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


@dataclass
class Writer:
    """A tree as lines of Python: variables are cells of the array `v`, memory is the array `m`.

    `cells`: number of the cell of each variable, shared by all pieces of an effect.
    """

    functions: dict[str, Function]
    cells: dict[str, int]
    lines: list[str] = field(default_factory=list)
    own: frozenset[str] = frozenset()
    indent: int = 1
    temporaries: int = 0

    def function(self, name: str, params: list[str], inner: list[str], body: Node) -> str:
        """The text of one Python function."""
        self.own = frozenset((*params, *inner))
        for local in inner:
            self._line(f"l_{local} = 0.0")
        result = self._value(body)
        self._line(f"return {result}")
        arguments = ", ".join(["v", "m", *(f"l_{param}" for param in params)])
        return "\n".join([f"def f_{name}({arguments}):", *self.lines, ""])

    def _line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    def _kept(self, expression: str) -> str:
        self.temporaries += 1
        self._line(f"t{self.temporaries} = {expression}")
        return f"t{self.temporaries}"

    def _place(self, node: Node) -> str:
        if node[0] == "memory":
            base, index = self._value(node[1]), self._value(node[2])
            at = self._kept(f"int({base} + {index} + {TRUE_FROM})")
            return f"m[{at}]"
        name = node[1]
        return f"l_{name}" if name in self.own else f"v[{self.cells.setdefault(name, len(self.cells))}]"

    def _value(self, node: Node) -> str:
        kind = node[0]
        if kind == "number":
            return f"float({node[1]})"
        if kind in ("name", "memory"):
            return self._kept(self._place(node))
        if kind == "sequence":
            result = "0.0"
            for step in node[1]:
                result = self._value(step)
            return result
        if kind == "set":
            return self._assignment(*node[1:])
        if kind == "unary":
            value = self._value(node[2])
            return self._kept(
                f"-{value}" if node[1] == "-" else f"1.0 if abs({value}) < {TRUE_FROM} else 0.0"
            )
        if kind == "binary":
            return self._operation(*node[1:])
        if kind == "if":
            return self._choice(self._value(node[1]), node[2], node[3])
        return self._call(node[1], node[2])

    def _assignment(self, operator: str, target: Node, value: Node) -> str:
        result = self._value(value)
        place = self._place(target)
        self._line(f"{place} {operator} {result}")
        return self._kept(place)

    def _operation(self, operator: str, left: Node, right: Node) -> str:
        if operator in ("&&", "||"):
            result = self._kept(f"1.0 if abs({self._value(left)}) >= {TRUE_FROM} else 0.0")
            self._line(f"if {result} {'>' if operator == '&&' else '<'} 0.5:")
            self.indent += 1
            self._line(f"{result} = 1.0 if abs({self._value(right)}) >= {TRUE_FROM} else 0.0")
            self.indent -= 1
            return result
        a, b = self._value(left), self._value(right)
        if operator in ("==", "!="):
            equal = "<" if operator == "==" else ">="
            return self._kept(f"1.0 if abs({a} - {b}) {equal} {TRUE_FROM} else 0.0")
        if operator in ("<", ">", "<=", ">="):
            return self._kept(f"1.0 if {a} {operator} {b} else 0.0")
        if operator == "%":
            return self._kept(f"float(int({a}) % int({b}))")
        return self._kept(f"{a} {'**' if operator == '^' else operator} {b}")

    def _choice(self, condition: str, yes: Node, no: Node | None) -> str:
        result = self._kept("0.0")
        for head, branch in ((f"if abs({condition}) >= {TRUE_FROM}:", yes), ("else:", no)):
            if branch is not None:
                self._line(head)
                self.indent += 1
                self._line(f"{result} = {self._value(branch)}")
                self.indent -= 1
        return result

    def _call(self, name: str, arguments: list[Node]) -> str:
        if name == "loop":
            count = self._value(arguments[0])
            self._line(f"for _ in range(int({count})):")
            self.indent += 1
            self._value(arguments[1])
            self._line("pass")
            self.indent -= 1
            return "0.0"
        values = [self._value(argument) for argument in arguments]
        if name == "memset":
            start = self._kept(f"int({values[0]} + {TRUE_FROM})")
            self._line(f"m[{start} : {start} + int({values[2]})] = {values[1]}")
            return values[0]
        if name in self.functions:
            assert len(values) == len(self.functions[name].params), name
            return self._kept(f"f_{name}({', '.join(['v', 'm', *values])})")
        return self._kept(f"{_BUILT_IN[name]}({', '.join(values)})")
