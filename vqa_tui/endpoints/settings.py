"""What the endpoint code needs to know of a recipe and of an endpoint; `config.Recipe` and `config.Endpoint` fit.

Protocols, because folders on one floor do not know each other.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from vqa_tui.domain.image_tokens import TokenRule


class TimeoutSettings(Protocol):
    """Seconds."""

    @property
    def connect_s(self) -> float: ...
    @property
    def first_byte_s(self) -> float: ...
    @property
    def total_s(self) -> float: ...


class EndpointSettings(Protocol):
    """How to speak to one endpoint."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def timeouts(self) -> TimeoutSettings: ...
    @property
    def image_tokens(self) -> TokenRule: ...
    @property
    def max_tokens_field(self) -> str: ...
    @property
    def json_schema(self) -> bool: ...
    @property
    def extra_body(self) -> Mapping[str, Any]: ...
    @property
    def extra_headers(self) -> Mapping[str, str]: ...


class GenerationSettings(Protocol):
    """Parameters of a request."""

    @property
    def max_tokens(self) -> int: ...
    @property
    def temperature(self) -> float | None: ...
    @property
    def stop(self) -> Sequence[str]: ...
    @property
    def extra_body(self) -> Mapping[str, Any]: ...


class RecipeSettings(Protocol):
    """How a recipe wants its message built."""

    @property
    def name(self) -> str: ...
    @property
    def text_first(self) -> bool: ...
    @property
    def schema_of_reply(self) -> Mapping[str, Any] | None: ...
    @property
    def generation(self) -> GenerationSettings: ...
