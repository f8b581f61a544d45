"""What parent and child of the embedded endpoint tell each other: settings down stdin, one line back up stdout."""

from pydantic import BaseModel, ConfigDict

from vqa_tui.config.endpoint import EmbeddedSettings, Endpoint, ImageTokenRule


class ChildSettings(BaseModel):
    """The first line on the child's stdin, as JSON. It holds names of keys, never values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    key_names: tuple[str, ...]
    image_tokens: ImageTokenRule
    video_tokens_per_second: float
    behaviour: EmbeddedSettings
    keep_stderr: bool
    """Whether stderr goes to a log file; otherwise the child closes it once it listens."""
    port: int = 0
    """Where to listen; 0 takes a free one."""

    @classmethod
    def of(cls, endpoint: Endpoint, *, keep_stderr: bool, port: int = 0) -> "ChildSettings":
        """Return the settings for `endpoint`; its keys are the accepted ones."""
        names = tuple(key.name for key in endpoint.keys)
        return cls(
            model=endpoint.model,
            key_names=names,
            image_tokens=endpoint.image_tokens,
            video_tokens_per_second=endpoint.video.tokens_per_second,
            behaviour=endpoint.embedded,
            keep_stderr=keep_stderr,
            port=port,
        )


class ChildReport(BaseModel):
    """The only line on the child's stdout, as JSON: either where it listens, or why it cannot start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = ""
    error: str = ""
    hint: str = ""
