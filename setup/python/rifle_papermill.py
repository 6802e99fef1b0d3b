"""Lets papermill set the parameters of TypeScript notebooks; the set-up installs it beside papermill, which loads it by its entry point."""
import json
import re

from papermill.engines import NBClientEngine
from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

NAME = re.compile(r"[A-Za-z_$][\w$]*")
DECLARATION = re.compile(r"^[ \t]*(?:let|var)\s+([A-Za-z_$][\w$]*)\s*(?::\s*([^=]+?))?\s*=\s*(.*?);?[ \t]*(?://[ \t]*(.*))?$", re.MULTILINE)


class TypeScriptTranslator(Translator):
    """Parameters as assignments: the variable keeps the type with which the cell tagged `parameters` declares it by `let`."""

    @classmethod
    def translate(cls, val):
        """JSON is TypeScript; a value that JSON does not have (a date of YAML) becomes a string."""
        return json.dumps(val, ensure_ascii=False, default=str)

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def assign(cls, name, str_val):
        if NAME.fullmatch(name) is None:
            raise PapermillException(f"The parameter {name!r} is not a name that TypeScript can have.")
        return f"{name} = {str_val};"

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        lines = [cls.comment(comment), *(cls.assign(name, cls.translate(value)) for name, value in parameters.items())]
        return "\n".join(lines) + "\n"

    @classmethod
    def inspect(cls, parameters_cell):
        """The parameters that a cell declares, for `papermill --help-notebook`."""
        return [
            Parameter(name=name, inferred_type_name=kind or "None", default=default, help=comment or "")
            for name, kind, default, comment in DECLARATION.findall(parameters_cell["source"])
        ]


for _name in ("rifle", "tslab", "typescript"):
    papermill_translators.register(_name, TypeScriptTranslator)


class RifleEngine(NBClientEngine):
    """papermill's own way to run notebooks, under a name of ours: engines are what papermill loads by entry point."""
