"""Options of `vqa-tui dataset import` for datasets of videos."""

from pathlib import Path
from typing import Annotated

import typer

VideosFromOption = Annotated[
    str,
    typer.Option(
        "--videos-from",
        metavar="ADDRESS",
        help="For ego4d-nlq: folder of the videos at s3:// or gs://, or `s3_path` for those of ego4d.json.",
    ),
]
KeepClipsOption = Annotated[
    Path | None,
    typer.Option(
        "--keep-clips",
        metavar="DIR",
        help="For ego4d-nlq, video: cut the clips into this folder; else when they are sent.",
    ),
]
ClipsToOption = Annotated[
    str,
    typer.Option(
        "--clips-to",
        metavar="ADDRESS",
        help="For ego4d-nlq, video: upload a copy of each clip to this folder at gs:// or s3://.",
    ),
]
ClipSecondsOption = Annotated[
    float,
    typer.Option(
        "--clip-seconds",
        metavar="S",
        min=0,
        help="For video: cut each video into clips of so many seconds; 0 takes it as a whole.",
    ),
]
