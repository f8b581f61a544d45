"""The JSON schema of the replies of a recipe, as `response_format` wants it."""

from typing import TYPE_CHECKING, Any

from vqa_tui.domain.reply_object import ObjectKey, object_schema

if TYPE_CHECKING:
    from vqa_tui.config.recipe import Recipe


def reply_schema(recipe: "Recipe") -> dict[str, Any] | None:
    """Return the schema that a reply must follow, None where the recipe enforces none.

    Its top is an object, because OpenAI takes nothing else: a list of pairs stands under `pairs`.
    """
    form = recipe.reply
    if not form.enforce_schema:
        return None
    if form.kind == "json_object":
        keys = {name: ObjectKey(key.type, key.minimum, key.maximum, key.optional) for name, key in form.keys.items()}
        return object_schema(keys)
    text = {"type": "string"}
    types = recipe.checks.known_question_types
    kind = {"type": "string", "enum": list(types)} if types else text
    pair = _closed({form.question_field: text, form.answer_field: text, form.type_field: kind})
    return _closed({"pairs": {"type": "array", "items": pair}})


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
