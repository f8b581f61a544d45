"""The lists of recipes and endpoints, and what is told of the one under the cursor."""

from collections.abc import Sequence
from pathlib import Path

from textual.content import Content

from vqa_tui.config.recipe import Recipe, ReplyFormat
from vqa_tui.domain.part import BY_PAIR
from vqa_tui.operations.config_entries import EndpointEntry, RecipeEntry
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.endpoint_words import (
    picture_words,
    prices_with_source,
    quota_words,
    rule_words,
    short_quota,
    source_words,
)
from vqa_tui.tui.present.facts import facts, heading
from vqa_tui.tui.present.numbers import count, plural
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN
from vqa_tui.tui.present.plan_words import short_prices
from vqa_tui.tui.present.rows import Row, text

RECIPE_COLUMNS = (
    Column("Recipe", 10, 30),
    Column("Whose", 7, 7),
    Column("What it asks", 16, 200, grow=True),
)
ENDPOINT_COLUMNS = (
    Column("Endpoint", 10, 30, grow=True),
    Column("Whose", 7, 7, drop=9),
    Column("Kind", 8, 17, soft=True, drop=8),
    Column("Model", 14, 30, soft=True),
    Column("Host", 10, 36, soft=True, drop=3),
    Column("Keys", 8, 10),
    Column("Quota", 8, 24, soft=True, drop=2),
    Column("$/M in, out", 11, 18, soft=True, drop=1),
)
_FILE_SHOWN = 60_000
_PROBLEM_SHOWN = 1_500
_MODELS_SHOWN = 500


def configs_header(word: str, place: Path) -> Content:
    """Return crumbs and the folder where one's own `word` (recipes, endpoints) lie."""
    own = clean(str(place), one_line=True, limit=200)
    return Content.assemble(("vqa-tui › ", QUIET), (word, "bold"), (f"   your own: {own}", QUIET))


def recipe_row(entry: RecipeEntry) -> Row:
    """Return one recipe of the list."""
    about = text(entry.recipe.description) if entry.recipe is not None else _broken(entry.problem)
    return Row(entry.name, (text(entry.name, "bold"), _whose(shipped=entry.shipped), about))


def endpoint_row(entry: EndpointEntry) -> Row:
    """Return one endpoint of the list."""
    name, whose, endpoint = text(entry.name, "bold"), _whose(shipped=entry.shipped), entry.endpoint
    if endpoint is None:
        return Row(entry.name, (name, whose, Content(""), _broken(entry.problem), *([Content("")] * 4)))
    return Row(
        entry.name,
        (
            name,
            whose,
            text(endpoint.kind, QUIET),
            text(endpoint.model),
            text(entry.host or "built in", "" if entry.host else QUIET),
            _keys(entry),
            Content.styled(short_quota(endpoint.quota) or "–", QUIET),
            _price_cell(entry),
        ),
    )


def recipe_detail(entry: RecipeEntry, file: str, width: int = 0) -> Content:
    """Return what a recipe is, its prompts as written, and its file as it stands (`file`, hostile text)."""
    place = _place(entry, width)
    recipe = entry.recipe
    if recipe is None:
        return Content("\n\n").join([place, _problem(entry.problem), _file(file)])
    form = recipe.reply
    reply = _reply_words(form)
    generation = recipe.generation
    known = facts(
        [
            ("asks", text(recipe.description)),
            ("pairs", Content(_pairs_words(recipe))),
            ("structured", Content(f"{recipe.structured_ratio:.0%} chance of each" if recipe.structured_ratio else "")),
            ("reply", text(f"{reply}, at most {count(generation.max_tokens)} tokens")),
            ("temperature", Content("" if generation.temperature is None else f"{generation.temperature:g}")),
            ("picture", Content(_picture_words(recipe))),
            ("needs", Content(", ".join(recipe.needs))),
            ("variables", text(", ".join(recipe.variables))),
        ],
        width,
    )
    parts = [place, known]
    for index, templates in enumerate(recipe.templates):
        which = f" {recipe.prompts[index].name}" if recipe.prompts else ""
        for title, template in (
            ("System prompt", templates.system),
            ("User prompt", templates.user),
            ("After a bad reply", templates.repair),
        ):
            if template.strip():
                body = clean(template.rstrip(), limit=_FILE_SHOWN)
                parts.append(Content.assemble(heading(f"{title}{which}"), "\n", body))
    return Content("\n\n").join([*parts, _file(file)])


def _pairs_words(recipe: Recipe) -> str:
    pairs = len(recipe.reply.categories) or recipe.pairs
    if recipe.parts == BY_PAIR:
        return "one request for each reference pair of a picture"
    if recipe.prompts:
        names = ", ".join(prompt.name for prompt in recipe.prompts)
        return f"{recipe.parts} requests for each picture: {names}"
    return f"{pairs} for each picture"


def _reply_words(form: ReplyFormat) -> str:
    match form.kind:
        case "json_pairs":
            return "a JSON list of pairs"
        case "blocks":
            return f"blocks of category, question and answer: {', '.join(form.categories) or 'any category'}"
        case "json_object":
            return f"a JSON object with {', '.join(form.keys)}, to {_quoted(form.question)}"
        case "detect":
            return f"boxes as location tokens, to {_quoted(form.question)}"
        case "explained":
            return f"an answer with its explanation, to {_quoted(form.question)}"
    return f"the answer to {_quoted(form.question)}" if form.question else f"the question to {_quoted(form.answer)}"


def _quoted(words: str) -> str:
    return f'"{words}"'


def _picture_words(recipe: Recipe) -> str:
    if recipe.modality == "text":
        return "none is sent"
    return f"at most {recipe.picture.max_side} px" if recipe.picture.max_side else "as it is"


def endpoint_detail(entry: EndpointEntry, file: str, width: int = 0) -> Content:
    """Return everything that is known of an endpoint, and its file as it stands. Values of keys are nowhere."""
    place = _place(entry, width)
    endpoint = entry.endpoint
    if endpoint is None:
        return Content("\n\n").join([place, _problem(entry.problem), _file(file)])
    known = facts(
        [
            ("about", text(endpoint.description)),
            ("kind", text(endpoint.kind)),
            ("address", text(endpoint.base_url or "built in")),
            ("model", text(endpoint.model, "bold")),
            ("prices", Content(clean(prices_with_source(entry.prices, listed=entry.listed), limit=600))),
            ("quota", Content(quota_words(endpoint.quota))),
            ("at once", Content(f"{plural(endpoint.concurrency, 'request')}")),
            ("timeouts", Content(f"{endpoint.timeouts.first_byte_s:g} s to the first byte, "
                                 f"{endpoint.timeouts.total_s:g} s in all")),
            ("pictures", text(picture_words(endpoint.picture))),
            ("counted by", text(rule_words(endpoint.image_tokens))),
            ("day begins", text(endpoint.day_resets)),
        ],
        width,
    )  # fmt: skip
    return Content("\n\n").join([place, known, _key_lines(entry), _file(file)])


def models_text(models: Sequence[str], used: str) -> Content:
    """Return the models that an endpoint offers; the one that its file names is marked."""
    if not models:
        return Content.assemble(heading("Models"), "\nThe endpoint lists no models.")
    lines = [heading(f"Models ({count(len(models))})")]
    for model in models[:_MODELS_SHOWN]:
        is_used = model.removeprefix("models/") == used
        lines.append(Content.assemble(("▸ ", GOOD) if is_used else "  ", text(model, "bold" if is_used else "")))
    if (more := len(models) - _MODELS_SHOWN) > 0:
        lines.append(Content.styled(f"and {plural(more, 'more')}", QUIET))
    return Content("\n").join(lines)


def asking_text(words: str) -> Content:
    """Return what stands in the place of an answer; `words` are our own."""
    return Content.styled(words, QUIET)


def trouble_text(title: str, words: str) -> Content:
    """Return why there is no answer; `words` may quote others."""
    return Content.assemble(heading(f"{title}  "), (clean(words, limit=_PROBLEM_SHOWN), BAD))


def _whose(*, shipped: bool) -> Content:
    return Content.styled("shipped", QUIET) if shipped else Content.styled("own", "$text-accent")


def _broken(problem: str) -> Content:
    first = problem.split("\n", 1)[0]
    return Content.assemble(("✖ ", BAD), text(first, BAD))


def _problem(problem: str) -> Content:
    return Content.assemble(("✖ cannot be used\n", f"bold {BAD}"), (clean(problem, limit=_PROBLEM_SHOWN), BAD))


def _place(entry: RecipeEntry | EndpointEntry, width: int) -> Content:
    words = "shipped; c copies it to start your own" if entry.shipped else "your own; o opens it in your editor"
    return facts([("file", text(str(entry.path))), ("whose", Content(words))], width)


def _file(file: str) -> Content:
    return Content.assemble(heading("The file"), "\n", (clean(file.rstrip(), limit=_FILE_SHOWN), QUIET))


def _keys(entry: EndpointEntry) -> Content:
    total = len(entry.endpoint.keys) if entry.endpoint is not None else 0
    missing = len(entry.missing or ())
    if not missing:
        return Content.styled(f"✔ {total} of {total}", GOOD)
    return Content.styled(f"✖ {total - missing} of {total}", BAD)


def _price_cell(entry: EndpointEntry) -> Content:
    if entry.prices is None:
        return Content.styled("unknown", WARN)
    return text(short_prices(entry.prices), QUIET)


def _key_lines(entry: EndpointEntry) -> Content:
    endpoint = entry.endpoint
    assert endpoint is not None
    lines = [heading(f"Keys ({count(len(endpoint.keys))})")]
    for key in endpoint.keys:
        problem = (entry.missing or {}).get(key.name)
        mark = ("✖ ", BAD) if problem else ("✔ ", GOOD)
        quota = key.quota or endpoint.groups.get(endpoint.group_of(key), endpoint.quota)
        source = source_words(key)
        shared = f"  group {endpoint.group_of(key)}" if key.group else ""
        lines.append(
            Content.assemble(mark, text(key.name, "bold"), "  ", text(source), (clean(shared, one_line=True), QUIET))
        )
        lines.append(Content.styled(f"  {quota_words(quota)}", QUIET))
        if problem:
            lines.append(Content.assemble("  ", text(problem, BAD)))
    return Content("\n").join(lines)
