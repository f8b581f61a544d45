"""Rendering a recipe's prompts: Jinja2 cut down to output, if, for and filters, so that a recipe cannot run code.

There are no calls, attributes beyond data, macros, assignments or imports. Work is bounded too: filters, `*` and the
whole prompt refuse to grow beyond MAX_CHARS, and loops nest at most MAX_LOOP_DEPTH deep.
"""

import difflib
import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vqa_tui.config.recipe import NamedPrompt, PromptTemplates, Recipe
from vqa_tui.config.template_filters import unknown_filter
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth, Item
from vqa_tui.domain.part import BY_PAIR, ONLY, Part
from vqa_tui.domain.prompt import (
    PART_VALUE_NAMES,
    PROMPT_VALUE_NAMES,
    part_values,
    prompt_values,
    structured_count,
)

MAX_CHARS = 200_000
"""Longest prompt, and longest text that any filter inside it may make."""
MAX_LOOP_DEPTH = 3
_REPAIR_NAME = "problem"
_HAS: dict[str, Callable[[GroundTruth], bool]] = {
    "annotations": lambda truth: truth.annotated,
    "caption": lambda truth: any(caption.strip() for caption in truth.captions),
    "questions": lambda truth: bool(truth.questions),
}
_NEEDS_IN_WORDS = {
    "annotations": "annotations of what is in a picture",
    "caption": "a caption",
    "questions": "a question with its answer that came with the dataset",
}


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """The two messages of one request. `system` may be empty."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class ReplyTexts:
    """What a recipe knows of the pair of a reply before it comes; '' where it is for the model to say."""

    question: str = ""
    answer: str = ""
    reference: str = ""
    """The answer that the reply must agree with."""


class LacksTruth(VqaError):
    """The dataset does not say about this picture what the recipe needs."""


class PromptTemplate:
    """The templates of one recipe, compiled once; of several prompts each has its own."""

    def __init__(self, recipe: Recipe) -> None:
        """Compile and check. Raises VqaError that names the recipe, the template, the line and the variable."""
        self._recipe = recipe
        known = _known_names(recipe)
        environment = _PromptEnvironment()
        self._prompts = [
            _OnePrompt(
                environment,
                recipe.of_part(Part(index, len(recipe.prompts) or 1)),
                templates,
                f"prompts.{index}" if recipe.prompts else "prompt",
                known,
            )
            for index, templates in enumerate(recipe.templates)
        ]

    @property
    def recipes(self) -> Sequence[Recipe]:
        """The recipe as it holds for each of its prompts."""
        return [prompt.recipe for prompt in self._prompts]

    def recipe_of(self, part: Part) -> Recipe:
        """Return the recipe as it holds for one of the requests about a picture: with one prompt, and its reply."""
        return self._of(part).recipe

    def parts_of(self, item: Item) -> tuple[Part, ...]:
        """Return the requests that a run made now would make about `item`; none where it has no reference pair."""
        count = len(item.truth.questions) if self._recipe.parts == BY_PAIR else self._recipe.parts
        return tuple(Part(index, count, self._name_of(index)) for index in range(count))

    def render(self, item: Item, part: Part = ONLY) -> RenderedPrompt:
        """Return the prompt of one request about `item`.

        Raises LacksTruth when the dataset does not say what the recipe needs, and VqaError when a value is missing or
        the prompt grows too long.
        """
        values = self._values(item, part)
        prompt = self._of(part)
        return RenderedPrompt(prompt.system.render(values, item.key), prompt.user.render(values, item.key))

    def reply_texts(self, item: Item, part: Part = ONLY) -> ReplyTexts:
        """Return what is known of the reply about `item`. Raises VqaError when a value is missing."""
        prompt = self._of(part)
        if not prompt.reply:
            return prompt.plain_texts
        values = self._values(item, part)
        rendered = {name: template.render(values, item.key) for name, template in prompt.reply.items()}
        return replace(prompt.plain_texts, **rendered)

    def render_repair(self, item: Item, problem: str, part: Part = ONLY) -> RenderedPrompt:
        """Return the prompt with the repair text, if there is one, below it; `problem` says in words what was wrong."""
        values = self._values(item, part)
        prompt = self._of(part)
        repair = prompt.repair.render({**values, _REPAIR_NAME: " ".join(problem.split())}, item.key)
        user = prompt.user.render(values, item.key)
        both = f"{user}\n\n{repair}" if repair else user
        return RenderedPrompt(prompt.system.render(values, item.key), both)

    def _of(self, part: Part) -> "_OnePrompt":
        return self._prompts[part.index if self._recipe.prompts else 0]

    def _name_of(self, index: int) -> str:
        return self._recipe.prompts[index].name if self._recipe.prompts else ""

    def _values(self, item: Item, part: Part) -> dict[str, object]:
        recipe = self.recipe_of(part)
        for need in recipe.needs:
            if not _HAS[need](item.truth):
                raise LacksTruth(
                    f"recipe {recipe.name} needs {_NEEDS_IN_WORDS[need]}, and the picture {item.key} has none",
                    hint="Its `needs` say so; import the dataset with them, or take another recipe.",
                )
        seed = f"{recipe.name}\n{item.key}" if part.index == 0 else f"{recipe.name}\n{item.key}\n{part.index}"
        values = prompt_values(
            item.truth,
            width=item.facts.width,
            height=item.facts.height,
            key=item.key,
            pairs=recipe.pairs,
            structured_pairs=structured_count(recipe.pairs, recipe.structured_ratio, seed),
            variables=recipe.variables,
        )
        if not self._recipe.in_parts:
            return values
        of_pair = self._recipe.parts == BY_PAIR
        if of_pair and part.index >= len(item.truth.questions):
            left = len(item.truth.questions)
            raise LacksTruth(
                f"the reference pair {part.number} of the picture {item.key} is gone: its dataset was imported again "
                f"since this run was made, with {left} {'pair' if left == 1 else 'pairs'} of it",
                hint="Import the dataset again with that pair, or make a new run.",
            )
        return values | part_values(values, part, name=self._name_of(part.index), of_pair=of_pair)


class _OnePrompt:
    """The checked templates of one prompt, and the recipe as it holds for it."""

    def __init__(
        self,
        environment: "_PromptEnvironment",
        recipe: Recipe,
        templates: PromptTemplates,
        place: str,
        known: frozenset[str],
    ) -> None:
        def checked(name: str, source: str, names: frozenset[str] = known) -> "_CheckedTemplate":
            return _CheckedTemplate(environment, recipe.name, name, source, names)

        self.recipe = recipe
        self.system = checked(f"{place}.system", templates.system)
        self.user = checked(f"{place}.user", templates.user)
        self.repair = checked(f"{place}.repair", templates.repair, known | {_REPAIR_NAME})
        reply = recipe.reply
        own = f"{place}." if isinstance(templates, NamedPrompt) and templates.reply is not None else ""
        sources = {"question": reply.question, "answer": reply.answer, "reference": reply.reference}
        self.plain_texts = ReplyTexts(**sources)
        """What is known of the reply, where no template is among it."""
        self.reply = {
            name: checked(f"{own}reply.{name}", source)
            for name, source in sources.items()
            if "{{" in source or "{%" in source
        }


def _known_names(recipe: Recipe) -> frozenset[str]:
    """Return the names that templates may use. Raises VqaError for a variable that has the name of such a value."""
    given = PROMPT_VALUE_NAMES
    if recipe.in_parts:
        given = given | (PART_VALUE_NAMES - ({"prompt_name"} if recipe.parts == BY_PAIR else {"reference"}))
    if taken := sorted(given.intersection(recipe.variables) | ({_REPAIR_NAME} & set(recipe.variables))):
        raise VqaError(
            f"recipe {recipe.name}: the variable `{taken[0]}` has the name of a value that every prompt gets",
            hint="Rename it under `variables`.",
        )
    return given.union(recipe.variables)


class _CheckedTemplate:
    """One template whose syntax, parts and variables have been checked."""

    def __init__(
        self, environment: "_PromptEnvironment", recipe: str, name: str, source: str, known: frozenset[str]
    ) -> None:
        self._where = f"recipe {recipe}, {name}"
        try:
            tree = environment.parse(source)
            self._check_parts(tree, 0)
            if unknown := unknown_filter(tree, environment.filters, environment.tests):
                line, message, hint = unknown
                raise VqaError(f"{self._where}, line {line}: {message}", hint=hint)
            self._check_names(tree, known)
            code = environment.compile(source, name=name, filename=self._where)
        except TemplateSyntaxError as error:
            raise VqaError(f"{self._where}, line {error.lineno}: {error.message}") from error
        except RecursionError as error:
            raise VqaError(f"{self._where}: the template is nested too deeply") from error
        self._template = Template.from_code(environment, code, environment.make_globals(None))

    def render(self, values: Mapping[str, object], item_key: str) -> str:
        parts: list[str] = []
        size = 0
        try:
            for part in self._template.generate(values):
                size += len(part)
                if size > MAX_CHARS:
                    raise SecurityError(f"the prompt is longer than {MAX_CHARS:,} characters")
                parts.append(part)
        except (TemplateError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            # A template computes with the recipe's own values, so each of Python's usual complaints is the recipe's.
            line = self._line_of(error)
            place = f"{self._where}, line {line}" if line else self._where
            reason = str(error) or type(error).__name__
            raise VqaError(f"{place}: {reason}", hint=f"It happened with the picture {item_key}.") from error
        return "".join(parts).strip()

    def _line_of(self, error: BaseException) -> int | None:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self._where]
        return lines[-1] if lines else None

    def _check_parts(self, node: nodes.Node, loops: int) -> None:
        if not isinstance(node, _ALLOWED_NODES):
            refused = _IN_WORDS.get(type(node).__name__, type(node).__name__)
            raise TemplateSyntaxError(
                f"prompts may use only output, if, for and filters, not {refused}", node.lineno, self._where
            )
        if isinstance(node, nodes.For):
            loops += 1
            if loops > MAX_LOOP_DEPTH or node.recursive:
                raise TemplateSyntaxError(f"loops nest at most {MAX_LOOP_DEPTH} deep", node.lineno, self._where)
        for child in node.iter_child_nodes():
            self._check_parts(child, loops)

    def _check_names(self, tree: nodes.Template, known: frozenset[str]) -> None:
        unknown = meta.find_undeclared_variables(tree) - known
        if not unknown:
            return
        first = next(node for node in tree.find_all(nodes.Name) if node.name in unknown)
        close = difflib.get_close_matches(first.name, known, 1)
        raise VqaError(
            f"{self._where}, line {first.lineno}: unknown variable `{first.name}`"
            + (f"; did you mean `{close[0]}`?" if close else ""),
            hint=f"Known are: {', '.join(sorted(known))}.",
        )


class _PromptEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox without globals, with a few filters, and with arithmetic that cannot make long texts."""

    intercepted_binops = frozenset({"*", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
        self.globals.clear()
        jinja_filters = {name: self.filters[name] for name in _FILTER_NAMES}
        self.filters = {name: _bounded(name, filter_) for name, filter_ in (jinja_filters | _OWN_FILTERS).items()}

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise SecurityError(f"`{operator}` works on numbers only")
        return super().call_binop(context, operator, left, right)


def _bounded(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(filter_)
    def checked(*arguments: Any, **options: Any) -> Any:
        result = filter_(*arguments, **options)
        if isinstance(result, str) and len(result) > MAX_CHARS:
            raise SecurityError(f"the filter `{name}` made more than {MAX_CHARS:,} characters")
        return result

    return checked


def _replace(text: object, old: str, new: str) -> str:
    whole = str(text)
    if whole.count(old) * len(new) > MAX_CHARS:
        raise SecurityError(f"the filter `replace` made more than {MAX_CHARS:,} characters")
    return whole.replace(old, new)


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


_OWN_FILTERS: dict[str, Callable[..., Any]] = {"replace": _replace, "tojson": _to_json}
# fmt: off
_FILTER_NAMES = (
    "abs", "capitalize", "count", "default", "first", "float", "int", "items", "join", "last", "length", "list",
    "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "string", "sum",
    "title", "trim", "truncate", "unique", "upper", "wordcount",
)
# fmt: on
_ALLOWED_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.For,
    nodes.If,
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Keyword,
    nodes.Filter,
    nodes.Test,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Compare,
    nodes.Operand,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Pos,
    nodes.Concat,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
)
_IN_WORDS = {
    "Call": "calls",
    "Pow": "`**`",
    "Assign": "set",
    "AssignBlock": "set",
    "With": "with",
    "Macro": "macros",
    "Include": "include",
    "Import": "import",
    "FromImport": "import",
    "Extends": "extends",
    "Block": "blocks",
}
