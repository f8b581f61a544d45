"""From a chat request to its reply: measure the pictures, read the prompt, write the answer."""

import asyncio
import hashlib
import random
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from vqa_tui.domain.image_tokens import TokenRule, picture_tokens
from vqa_tui.embedded.answers import NOTHING_TO_DESCRIBE, write_caption, write_pairs
from vqa_tui.embedded.asked_form import read_form
from vqa_tui.embedded.errors import bad_request
from vqa_tui.embedded.measure import Measurement, UnreadablePicture, measure_picture
from vqa_tui.embedded.other_replies import write_other
from vqa_tui.embedded.prompt_reader import read_prompt
from vqa_tui.embedded.reply import Reply, json_reply, limit
from vqa_tui.embedded.request import ChatRequest
from vqa_tui.embedded.scene import Scene
from vqa_tui.embedded.usage import text_tokens
from vqa_tui.embedded.videos import SeenVideo, SentVideo, look_at

_REMEMBERED = 2048
"""Measurements kept by picture, the least recently used dropped first; one takes about a kilobyte."""
_THREADS = 2
TOKENS_PER_SECOND = 300.0
"""Of a video, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply, and the tokens of the prompt that it answers."""

    reply: Reply
    prompt_tokens: int


class Answerer:
    """Answers requests; the same seed, pictures and prompt always get the same reply."""

    def __init__(self, seed: int, image_tokens: TokenRule, tokens_per_second: float = TOKENS_PER_SECOND) -> None:
        """`image_tokens` is the rule by which pictures are counted in `usage`; videos count by the second."""
        self._seed = seed
        self._image_tokens = image_tokens
        self._tokens_per_second = tokens_per_second
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="measure")
        self._measured: OrderedDict[bytes, Measurement] = OrderedDict()

    def close(self) -> None:
        """End the measuring threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def answer(self, request: ChatRequest) -> Answered:
        """Return the reply to `request`; the first picture, or the first frame of the first video, is spoken of.

        Raises ApiError 400 for an unreadable one.
        """
        digests = [hashlib.sha256(picture).digest() for picture in request.pictures]
        measured = [
            await self._measure(digest, picture, number)
            for number, (digest, picture) in enumerate(zip(digests, request.pictures, strict=True), start=1)
        ]
        videos = [await self._look_at(video, number) for number, video in enumerate(request.videos, start=1)]
        seen = [*measured, *(video.first for video in videos if video.first is not None)]
        scene = Scene(read_prompt(request.prompt), seen[0] if seen else None, names_unseen=bool(videos) and not seen)
        digests += [hashlib.sha256(video.data or video.uri.encode()).digest() for video in request.videos]
        dice = self._dice(request.prompt, digests)
        reply = self._write(scene, dice, as_object=request.json_object)
        tokens = text_tokens(request.text_characters) + sum(
            picture_tokens(self._image_tokens, each.width, each.height) for each in measured
        )
        tokens += sum(video.tokens(self._tokens_per_second) for video in videos)
        return Answered(limit(reply, request.max_tokens, request.stop), tokens)

    def _write(self, scene: Scene, dice: random.Random, *, as_object: bool) -> Reply:
        form = read_form(scene.asked.instructions)
        if form is not None:
            return write_other(form, scene, dice)
        if not (scene.asked.wants_json or as_object):
            return Reply(write_caption(scene, dice))
        pairs = write_pairs(scene, dice)
        return json_reply(pairs, as_object=as_object) if pairs else Reply(NOTHING_TO_DESCRIBE)

    def _dice(self, prompt: str, digests: list[bytes]) -> random.Random:
        digest = hashlib.sha256(b"".join(digests))
        digest.update(prompt.encode("utf-8", "surrogatepass"))
        return random.Random(f"{self._seed} {digest.hexdigest()}")

    async def _look_at(self, video: SentVideo, number: int) -> SeenVideo:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, look_at, video)
        except UnreadablePicture as reason:
            raise bad_request(
                f"Video {number} cannot be read: {reason}.", param="messages", code="invalid_video"
            ) from reason

    async def _measure(self, digest: bytes, picture: bytes, number: int) -> Measurement:
        known = self._measured.get(digest)
        if known is not None:
            self._measured.move_to_end(digest)
            return known
        try:
            seen = await asyncio.get_running_loop().run_in_executor(self._threads, measure_picture, picture)
        except UnreadablePicture as reason:
            raise bad_request(
                f"Picture {number} cannot be read: {reason}.", param="messages", code="invalid_image"
            ) from reason
        self._measured[digest] = seen
        if len(self._measured) > _REMEMBERED:
            self._measured.popitem(last=False)
        return seen
