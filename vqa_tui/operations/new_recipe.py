"""Writing a recipe of one's own to start from: a whole one that works, with a comment on everything in it."""

from pathlib import Path

from vqa_tui.config.load import list_recipes, load_recipe
from vqa_tui.config.yaml_document import shown
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.prompt import PROMPT_VALUE_NAMES
from vqa_tui.operations.catalog import Places
from vqa_tui.operations.config_copies import check_new_name

_TEXT = """\
# A recipe: what is asked about each picture, and how the reply becomes question-answer pairs.
# See what it would ask:  vqa-tui recipe preview NAME DATASET
name: NAME
description: What is asked, in one line

# How many pairs are asked for; the prompt sees it as `pairs`.
pairs: 3

# What the dataset must say about a picture: annotations, caption, questions. Others fail without being asked.
# needs: [annotations]
# No picture is sent, only what the dataset says about it.
# modality: text

prompt:
  # Jinja2 with output, if, for and filters. Every prompt gets these values:
VALUES
  # An unknown one is an error before the run starts, with its line.
  system: |
    You write training data for a model that answers questions about pictures.
  user: |
    Look at this picture and write questions about it, each with its answer.
    {% if items or caption %}

    Ground truth:
    {% if items %}
    - items: {{ items | join("; ") }}
    - count: {{ count }}
    {% endif %}
    {% if caption %}
    - caption: {{ caption }}
    {% endif %}
    {% endif %}

    Write exactly {{ pairs }} question-answer pairs.
    Allowed question types: {{ question_types | join(", ") }}.
    Answer in whole sentences, and state only what can be seen.

    Reply with a JSON array only, shaped like this:
    [{"question": "Where is the lamp?", "answer": "It hangs above the table.", "question_type": "location"}]
  # Added below the prompt after a reply that could not be read; `problem` says what was wrong. "" adds nothing.
  repair: |
    Your previous reply could not be used: {{ problem }}.
    Answer again with the JSON array alone.

# Values of your own for the prompt.
variables:
  question_types: [general, location, count]

reply:
  # json_pairs, text, blocks, json_object, detect or explained; the user guide says what each is.
  kind: json_pairs
  # Send the JSON schema of the reply where the endpoint takes one.
  # enforce_schema: true

generation:
  max_tokens: 1000
  # Asked with once more when max_tokens cut a reply into uselessness.
  # longer_max_tokens: 2000
  # temperature: 0.7
  # stop: ["END"]

picture:
  # Longest side in pixels; larger pictures are made smaller. null sends them as they are.
  max_side: 1024

# Pairs that fail a check are flagged, never dropped.
checks:
  min_answer_chars: 2
  known_question_types: [general, location, count]
  # risk_words: [recommend]

# Typical length of a reply, for the plan before the first replies.
expected_output_tokens: 250
"""
_LINE = 100


def new_recipe(workspace: Places, name: str) -> Path:
    """Write a commented recipe into `recipes/` beside the workspace and return the file.

    Raises VqaError when `name` is malformed or taken, or when nothing can be written there.
    """
    folders = workspace.recipe_folders
    check_new_name("recipe", [entry.name for entry in list_recipes(folders)], name)
    target = folders[0] / f"{name}.yaml"
    text = _TEXT.replace("NAME", name).replace("VALUES", "\n".join(_value_lines()))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise VqaError(f"{shown(target)} cannot be written: {error.strerror or error}") from error
    load_recipe(name, folders=folders)
    return target


def _value_lines() -> list[str]:
    lines = ["  #  "]
    for value in sorted(PROMPT_VALUE_NAMES):
        if len(lines[-1]) + len(value) > _LINE:
            lines.append("  #  ")
        lines[-1] += f" {value}"
    return lines
