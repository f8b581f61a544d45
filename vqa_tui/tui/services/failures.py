"""Failures of a run, gathered by what went wrong."""

from array import array
from collections.abc import Sequence

from vqa_tui.domain.failure_cluster import ClusterDetail, FailureCluster, FailureTable
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.operations import failures, queue_edits
from vqa_tui.tui.services.door import Door


class Failures(Door):
    """Clusters of failures."""

    async def table(self, run_id: int) -> FailureTable:
        return await failures.failure_table(self._workspace, run_id)

    async def gather_some(self, run_id: int) -> int:
        """Put some failures of an older version into clusters; return how many, 0 when all are."""
        return await failures.gather_some(self._writing, run_id)

    async def detail(self, run_id: int, cluster: FailureCluster, *, tries: bool) -> ClusterDetail:
        return await failures.cluster_detail(self._workspace, run_id, cluster, tries=tries)

    async def task_ids(self, ids: Sequence[int], *, tries: bool) -> "array[int]":
        """Return the pictures of the clusters `ids`."""
        return await failures.cluster_task_ids(self._workspace, ids, tries=tries)

    async def retry(self, run_id: int, ids: Sequence[int]) -> int:
        """Put those of `ids` that failed back into the queue; return how many."""
        return await queue_edits.edit_queue(self._writing, run_id, EditVerb.RETRY, ids)

    async def skip(self, run_id: int, ids: Sequence[int]) -> int:
        """Take those of `ids` that failed out of the run; return how many."""
        return await queue_edits.edit_queue(self._writing, run_id, EditVerb.SKIP, ids)
