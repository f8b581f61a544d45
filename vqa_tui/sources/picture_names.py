"""The pictures that rows name: files in the root, found by name in the usual folders."""

from collections.abc import Sequence

from vqa_tui.domain.clip import is_video
from vqa_tui.sources.contained import ContainedRoot, PathRefused
from vqa_tui.sources.record_truth import BadRecord

_WEB = ("http://", "https://", "s3://", "gs://", "hf://")


class PictureNames:
    """Finds pictures by name in a root: as they are named, and in some folders of the root."""

    def __init__(self, contained: ContainedRoot, folders: Sequence[str] = ("images",)) -> None:
        self._contained = contained
        self._folders = tuple(folders)

    def key_of(self, name: str) -> str:
        """Return the name by which rows about one picture are known to belong together.

        An absolute name becomes the one from the root, where it lies there. Raises BadRecord for an empty name and a
        web address.
        """
        name = name.strip().removeprefix("file://")
        if not name:
            raise BadRecord("names no picture")
        if name.lower().startswith(_WEB):
            raise BadRecord(f"the {_noun(name)} is a web address, {name[:200]}; download it and name the file")
        name = self._contained.inside(name) or name
        if name.startswith("/"):
            return name
        return "/".join(step for step in name.split("/") if step not in ("", ".")) or name

    def find(self, name: str) -> str:
        """Return the path of a picture from the root. Raises BadRecord when there is none or it must not be read."""
        return self.find_any([name, *(f"{folder}/{name}" for folder in self._folders)])

    def find_any(self, names: Sequence[str]) -> str:
        """Return the first of `names` that is a file in the root. Raises BadRecord."""
        for name in names:
            try:
                if found := self._contained.find(name):
                    return found
            except PathRefused as error:
                raise BadRecord(f"the {_noun(name)} `{name[:200]}` {error.reason}") from error
        looked = ", ".join(name[:200] for name in names)
        raise BadRecord(
            f"no such {_noun(names[0])} in {self._contained.path}: looked for {looked}; name its folder with --images"
        )


def _noun(name: str) -> str:
    return "video" if is_video(name) else "picture"
