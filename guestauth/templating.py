"""Templates: compiled once for each language, with its words in them.

What it does: `Environment` hands out each template in the language that is spoken, and writes what is said in it,
and where static files lie, into the compiled template.

The one thing to understand: a page has a dozen texts and a letter more; to look each up anew for every page takes
as long as all else in the template. So there is one environment for each language, and each compiles for itself.

What must stay true: a template says what `languages` would say; a text that is not known when it is compiled is
looked up when it is said.

Called by Flask and letters, by way of `app.jinja_env`.
"""

from collections.abc import MutableMapping
from gettext import NullTranslations
from typing import Any

from flask import templating
from flask.sansio.app import App
from jinja2 import Template, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from guestauth import languages


class Environment(templating.Environment):
    """Flask's, with one of its kind for each language."""

    spoken: NullTranslations | None = None  # what its templates say; None: it hands out those of the others

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app, **options)
        self._each: dict[NullTranslations, Environment] = {}

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 -- Jinja's name
    ) -> Template:
        """Return a template in the language spoken.

        :param globals: none: they would be everybody's.
        """
        if globals:
            raise TypeError("what one template alone is to know belongs into its context")
        if self.spoken is not None:
            return super().get_template(name, parent, globals)
        return self._in(languages.spoken()).get_template(name, parent, globals)

    def _in(self, spoken: NullTranslations) -> "Environment":
        found = self._each.get(spoken)
        if found is None:
            found = self.overlay()
            found.spoken = spoken
            self._each[spoken] = found
        return found

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Give templates the names that all know; Jinja would look for each name in two places, for every page."""
        return super().make_globals(d) if d else self.globals

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        """Compile a template, with its words in it (Jinja's own hook)."""
        is_escaped = self.autoescape(name) if callable(self.autoescape) else self.autoescape
        _Words(self, Markup if is_escaped else str).visit(source)
        return super()._generate(source, name, filename, defer_init)


class _Words(NodeTransformer):
    """Puts words in the place of the question for them."""

    def __init__(self, environment: Environment, kind: type[str]) -> None:
        self.environment, self.kind = environment, kind  # `kind`: of a page's own words; values are escaped

    def visit_Call(self, call: nodes.Call) -> nodes.Node:  # noqa: N802 -- Jinja's name
        """Answer a question for a constant text, or for where a static file lies."""
        self.generic_visit(call)
        asks = call.node.name if isinstance(call.node, nodes.Name) else ""
        is_plain = len(call.args) == 1 and not call.dyn_args and not call.dyn_kwargs
        known, spoken = call.args[0] if is_plain else None, self.environment.spoken
        answer: nodes.Expr = call
        if asks == "static" and isinstance(known, nodes.Const):
            static: Any = self.environment.globals["static"]
            answer = nodes.Const(static(known.value))
        elif asks == "_" and isinstance(known, nodes.Const) and spoken is not None:
            answer = words = nodes.Const(self.kind(spoken.gettext(known.value)))
            if call.kwargs or "%" in words.value:
                values = [nodes.Pair(nodes.Const(each.key), each.value) for each in call.kwargs]
                answer = nodes.Mod(words, nodes.Dict(values))
        return answer.set_lineno(call.lineno).set_environment(self.environment)
