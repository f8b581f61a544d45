"""The model of a recipe: what is asked, and how the reply is read."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PromptTemplates(_Strict):
    """Jinja2 templates, sandboxed and strict: an unknown variable is an error before the run starts."""

    user: str
    system: str = ""
    repair: str = (
        "Your previous reply could not be used: {{ problem }}.\n"
        "Answer again, following the required format exactly and adding nothing else."
    )
    """Added to the user prompt after a bad reply; `problem` says what was wrong."""


class ReplyFormat(_Strict):
    """How the reply becomes question-answer pairs."""

    kind: Literal["json_pairs", "text"]
    """`json_pairs`: a JSON list of objects. `text`: the whole reply is the answer to `question`."""
    question: str = ""
    """The fixed question of a `text` recipe."""
    question_field: str = "question"
    answer_field: str = "answer"
    type_field: str = "question_type"

    @model_validator(mode="after")
    def _text_needs_question(self) -> "ReplyFormat":
        if self.kind == "text" and not self.question:
            raise ValueError("a `text` reply needs the fixed `question` that it answers")
        return self


class Generation(_Strict):
    """Parameters of the request."""

    max_tokens: Annotated[int, Field(ge=1)] = 1000
    longer_max_tokens: Annotated[int, Field(ge=1)] | None = None
    """Asked with instead, once, after a reply that `max_tokens` cut into uselessness; None never asks longer."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    stop: tuple[str, ...] = ()
    extra_body: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _longer_is_longer(self) -> "Generation":
        if self.longer_max_tokens is not None and self.longer_max_tokens <= self.max_tokens:
            raise ValueError(f"longer_max_tokens must be more than max_tokens, which is {self.max_tokens}")
        return self


class PictureRules(_Strict):
    """How a picture is made ready. A JPEG or PNG that already fits is sent byte for byte."""

    max_side: Annotated[int, Field(ge=16)] | None = 1024
    """Longest side in pixels; None sends the original size."""
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 88


class Checks(_Strict):
    """What makes a stored pair suspicious (flagged, never dropped)."""

    min_answer_chars: Annotated[int, Field(ge=0)] = 2
    risk_words: tuple[str, ...] = ()
    known_question_types: tuple[str, ...] = ()
    structured_types: tuple[str, ...] = ()
    """Question types whose answer must itself be JSON."""


class Recipe(_Strict):
    """One recipe file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    description: str = ""
    modality: Literal["image"] = "image"
    pairs: Annotated[int, Field(ge=1, le=50)] = 1
    """How many pairs are asked for; the template sees it as `pairs`."""
    structured_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the pairs that are structured questions, drawn for each picture with a fixed seed."""
    variables: dict[str, Any] = Field(default_factory=dict)
    """Further values for the templates."""
    prompt: PromptTemplates
    text_first: bool = True
    """Whether the text stands before the picture in the message."""
    reply: ReplyFormat
    generation: Generation = Generation()
    picture: PictureRules = PictureRules()
    checks: Checks = Checks()
    expected_output_tokens: Annotated[int, Field(ge=1)] = 300
    """Typical length of a reply, for estimates before the pilot."""
