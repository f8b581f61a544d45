"""The model of a recipe: what is asked, and how the reply is read."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vqa_tui.config.reply_schema import reply_schema


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


class ReplyKey(_Strict):
    """What one key of a `json_object` reply must hold."""

    type: Literal["integer", "number", "string", "boolean"]
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _bounds_a_number(self) -> "ReplyKey":
        bounded = self.minimum is not None or self.maximum is not None
        if bounded and self.type not in ("integer", "number"):
            raise ValueError(f"minimum and maximum bound numbers, not a {self.type}")
        return self


class ReplyFormat(_Strict):
    """How the reply becomes question-answer pairs."""

    kind: Literal["json_pairs", "text", "blocks", "json_object", "detect", "explained"]
    """`json_pairs`: a JSON list of objects. `text`: the whole reply is the answer to `question`, or the question to
    `answer`. `blocks`: three lines for each pair, Category, Question and Short answer. `json_object`: one object with
    the `keys`, kept as JSON. `detect`: PaliGemma's location tokens, kept as JSON boxes in pixels. `explained`:
    `<answer>. Explanation: <explanation>`."""
    question: str = ""
    """The question that the reply answers, of every kind but `json_pairs` and `blocks`; a template like the prompt."""
    answer: str = ""
    """The answer of which a `text` reply is the question; a template like the prompt."""
    reference: str = ""
    """The answer that an `explained` reply must agree with; a template like the prompt."""
    categories: tuple[str, ...] = ()
    """The categories of `blocks`, in the order in which pairs are kept; a reply that lacks one is flagged."""
    keys: dict[str, ReplyKey] = Field(default_factory=dict)
    """The keys that a `json_object` may have; others are refused."""
    enforce_schema: bool = False
    """Send the JSON schema of the reply as `response_format`, where the endpoint takes one (`json_schema`)."""
    question_field: str = "question"
    answer_field: str = "answer"
    type_field: str = "question_type"

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "ReplyFormat":
        if self.kind == "text" and bool(self.question) == bool(self.answer):
            raise ValueError("a `text` reply needs the `question` that it answers, or the `answer` that it asks for")
        if self.kind in ("json_object", "detect", "explained") and not self.question:
            raise ValueError(f"a `{self.kind}` reply needs the `question` that it answers")
        if self.kind == "json_object" and not self.keys:
            raise ValueError("a `json_object` reply needs its `keys`")
        if self.enforce_schema and self.kind not in ("json_pairs", "json_object"):
            raise ValueError(f"enforce_schema: a `{self.kind}` reply is not JSON")
        for name, kinds in _FIELDS_OF_KINDS.items():
            if getattr(self, name) and self.kind not in kinds:
                raise ValueError(f"`{name}` is of no use to a `{self.kind}` reply; it belongs to {' and '.join(kinds)}")
        return self


_FIELDS_OF_KINDS = {
    "question": ("text", "json_object", "detect", "explained"),
    "answer": ("text",),
    "reference": ("explained",),
    "categories": ("blocks",),
    "keys": ("json_object",),
}


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


class VideoRules(_Strict):
    """How a clip of a video is sent."""

    fps: Annotated[float, Field(gt=0, le=24)] = 1
    """Frames for each second of the clip."""
    max_frames: Annotated[int, Field(ge=1, le=768)] = 16
    """Most frames of one clip; a longer one is seen more seldom. A lower `picture.per_request` of the endpoint
    counts."""
    send: Literal["frames", "data", "uri"] = "frames"
    """`frames`: as pictures in order. `data`: the cut clip in the request. `uri`: the address of its copy, which the
    import made with --clips-to. The last two only where the endpoint's `video` takes
    them."""


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
    modality: Literal["image", "text"] = "image"
    """`text`: no picture is sent, only what the dataset says about it."""
    needs: tuple[Literal["annotations", "caption", "questions"], ...] = ()
    """What the dataset must say about a picture; one of which it does not is never asked about."""
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
    video: VideoRules = VideoRules()
    checks: Checks = Checks()
    expected_output_tokens: Annotated[int, Field(ge=1)] = 300
    """Typical length of a reply, for estimates before the pilot."""

    @property
    def schema_of_reply(self) -> dict[str, Any] | None:
        """The JSON schema that is sent where the endpoint takes one; None enforces nothing."""
        return reply_schema(self)
