"""EEL2 trees as Python that numba compiles.

All numbers are doubles. What counts as true is 0.00001 or more away from zero, and `==` is as lenient. An
index is truncated after adding 0.00001.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eel2 import Function, Node
from eel2_host import HOST

TRUE_FROM = 1e-5
_BUILT_IN = {
    **{name: f"math.{name}" for name in ("sin", "cos", "tan", "exp", "log", "log10", "sqrt", "pow")},
    **{name: name for name in ("abs", "min", "max")},
    "floor": "np.floor",
    "ceil": "np.ceil",
}


@dataclass
class Writer:
    """A tree as lines of Python: variables are cells of the array `v`, memory is the array `m`, and `d` is
    the file that the effect may open (`eel2_host.opened`).

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
        arguments = ", ".join(["v", "m", "d", *(f"l_{param}" for param in params)])
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
        if name == "file_riff":
            for place, number in zip(arguments[1:], (0, 1), strict=True):
                self._line(f"{self._place(place)} = d[{number}]")
            return "0.0"
        values = [self._value(argument) for argument in arguments]
        if name in HOST:
            return self._kept(f"{name}({', '.join(['m', 'd', *values])})")
        if name == "memset":
            start = self._kept(f"int({values[0]} + {TRUE_FROM})")
            self._line(f"m[{start} : {start} + int({values[2]})] = {values[1]}")
            return values[0]
        if name in self.functions:
            assert len(values) == len(self.functions[name].params), name
            return self._kept(f"f_{name}({', '.join(['v', 'm', 'd', *values])})")
        return self._kept(f"{_BUILT_IN[name]}({', '.join(values)})")
