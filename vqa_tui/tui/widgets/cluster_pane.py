"""One cluster of failures: its message, what its pictures have in common, and three of them side by side."""

from PIL import Image
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.failure_cluster import ClusterDetail, Example, FailureCluster
from vqa_tui.tui.present.failure_detail import detail_facts, detail_head, example_caption
from vqa_tui.tui.widgets.picture import Picture

EXAMPLES = 3


class ClusterPane(VerticalScroll):
    """Shows the cluster that it is given; keeps its place and its pictures when the same one is shown again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cluster: FailureCluster | None = None
        self.detail: ClusterDetail | None = None
        self._examples: tuple[Example, ...] = ()
        self._read = False
        self._texts: dict[str, Content] = {}

    def compose(self) -> ComposeResult:
        yield Static("", id="cluster-head")
        yield Static("", id="cluster-facts")
        with Horizontal(id="cluster-examples"):
            for number in range(EXAMPLES):
                with Vertical(id=f"cluster-example-{number}", classes="cluster-example"):
                    yield Picture(id=f"cluster-picture-{number}")
                    yield Static("", id=f"cluster-caption-{number}", classes="cluster-caption")

    def on_mount(self) -> None:
        self.query_one("#cluster-examples").display = False

    @property
    def examples_to_read(self) -> tuple[Example, ...]:
        """The examples whose pictures have not been read."""
        return () if self._read else self._examples

    def show(self, cluster: FailureCluster, detail: ClusterDetail | None, now: float, *, tries: bool) -> None:
        """Show a cluster; without `detail` what is known of it, unless its detail is shown already."""
        another = self.cluster is None or self.cluster.id != cluster.id
        if another:
            self.detail = None
            self.scroll_home(animate=False)
        self.cluster = cluster
        self.detail = detail or self.detail
        self._update("cluster-head", detail_head(cluster, self.detail, now))
        if self.detail is None:
            self._update("cluster-facts", Content(""))
            self._set_examples(())
            return
        self._update("cluster-facts", detail_facts(cluster, self.detail, tries=tries))
        self._set_examples(self.detail.examples)

    def clear(self) -> None:
        """Show that there is no cluster."""
        self.cluster = self.detail = None
        self._update("cluster-head", Content.styled("no cluster", "$foreground 60%"))
        self._update("cluster-facts", Content(""))
        self._set_examples(())

    def put_picture(self, examples: tuple[Example, ...], number: int, shown: Image.Image | Content) -> None:
        """Show the picture of one of `examples`, or why there is none, unless others are shown by now."""
        if examples != self._examples:
            return
        picture = self.query_one(f"#cluster-picture-{number}", Picture)
        if isinstance(shown, Content):
            picture.show_remark(shown)
        else:
            picture.show_picture(shown)
        self._read = number == len(examples) - 1

    def _set_examples(self, examples: tuple[Example, ...]) -> None:
        if examples == self._examples:
            return
        self._examples, self._read = examples, False
        self.query_one("#cluster-examples").display = bool(examples)
        for number in range(EXAMPLES):
            self.query_one(f"#cluster-example-{number}").display = number < len(examples)
            if number < len(examples):
                self._update(f"cluster-caption-{number}", example_caption(examples[number]))
                remark = Content("reading the picture …")
                self.query_one(f"#cluster-picture-{number}", Picture).show_remark(remark, keep_height=True)

    def _update(self, part: str, text: Content) -> None:
        """Every update lays out the whole screen, so a part that reads as before is left alone."""
        if part not in self._texts or not self._texts[part].is_same(text):
            self._texts[part] = text
            self.query_one(f"#{part}", Static).update(text)
