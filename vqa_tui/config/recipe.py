"""The model of a recipe: what is asked, and how the reply is read."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from vqa_tui.config.reply_schema import reply_schema
from vqa_tui.domain.part import BY_PAIR, Part


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


class NamedPrompt(PromptTemplates):
    """One of several prompts: each of them is a request of its own about every picture."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
    """What tells its requests apart on screens; its templates see it as `prompt_name`."""
    reply: ReplyFormat | None = None
    """How its reply is read; None as the recipe says."""
    pairs: Annotated[int, Field(ge=1, le=50)] | None = None
    """How many pairs it asks for; None as many as the recipe says."""


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
    sound: bool = False
    """Whether a clip that is cut for the request keeps the sound of its video; only with `send: data`. A file that is
    nothing but the clip goes as it is, with its sound."""

    @model_validator(mode="after")
    def _sound_is_in_a_request(self) -> "VideoRules":
        if self.sound and self.send != "data":
            raise ValueError("only a video in the request has sound: write `send: data`, or leave out `sound`")
        return self


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
    """Chance of each pair to be the structured question, one a picture at most; drawn for each with a fixed seed."""
    variables: dict[str, Any] = Field(default_factory=dict)
    """Further values for the templates."""
    prompts: tuple[NamedPrompt, ...] = ()
    """Several prompts: every picture is asked each of them, in a request of its own."""
    prompt: Annotated[PromptTemplates | None, Field(validate_default=True)] = None
    """What is asked, where that is one prompt."""
    each: Literal["picture", "pair"] = "picture"
    """`pair`: one request for each question-answer pair that the dataset has of the picture; the templates see that
    pair as `reference`."""
    text_first: bool = True
    """Whether the text stands before the picture in the message."""
    reply: ReplyFormat
    generation: Generation = Generation()
    picture: PictureRules = PictureRules()
    video: VideoRules = VideoRules()
    checks: Checks = Checks()
    expected_output_tokens: Annotated[int, Field(ge=1)] = 300
    """Typical length of a reply, for estimates before the pilot."""

    @field_validator("prompt", mode="after")
    @classmethod
    def _is_there_unless_several_are(
        cls, prompt: PromptTemplates | None, others: ValidationInfo
    ) -> PromptTemplates | None:
        if prompt is None and "prompts" in others.data and not others.data["prompts"]:
            raise PydanticCustomError("missing", "this key is required, or several under `prompts`")
        if prompt is not None and others.data.get("prompts"):
            raise ValueError("a recipe has either one `prompt`, or several under `prompts`")
        return prompt

    @model_validator(mode="after")
    def _tells_its_prompts_apart(self) -> "Recipe":
        names = [prompt.name for prompt in self.prompts]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"prompts: two of them are named {twice}")
        if self.each == "pair" and self.prompts:
            raise ValueError("each: pair goes with one `prompt`, not with `prompts`")
        return self

    @property
    def parts(self) -> int:
        """How many requests every picture is; BY_PAIR where it is one for each of its reference pairs."""
        return BY_PAIR if self.each == "pair" else max(len(self.prompts), 1)

    @property
    def in_parts(self) -> bool:
        """Whether a picture may be several requests, or none."""
        return self.parts != 1

    def of_part(self, part: Part) -> "Recipe":
        """Return the recipe of one of the requests about a picture: it has one prompt, which is not None."""
        if not self.prompts:
            return self
        named = self.prompts[part.index]
        return self.model_copy(
            update={
                "prompt": named,
                "prompts": (),
                "reply": self.reply if named.reply is None else named.reply,
                "pairs": self.pairs if named.pairs is None else named.pairs,
            }
        )

    @property
    def templates(self) -> tuple[PromptTemplates, ...]:
        """The templates of all prompts, in order."""
        return self.prompts or ((self.prompt,) if self.prompt is not None else ())

    @property
    def schema_of_reply(self) -> dict[str, Any] | None:
        """The JSON schema that is sent where the endpoint takes one; None enforces nothing."""
        return reply_schema(self)
