"""Failures of a run by what went wrong: the clusters, one of them in full, and the pictures it holds."""

import time
from array import array
from collections.abc import Sequence

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.failure_cluster import ClusterDetail, FailureCluster, FailureTable
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store import clusters, failures

_GATHERED_AT_ONCE = 1_000
"""Older failures of one transaction: few enough that an engine at work does not notice."""


async def failure_table(workspace: Workspace, run_id: int) -> FailureTable:
    """Return the clusters of a run, and how many older failures are in none yet."""
    return await failures.failure_table(workspace.db, run_id, now=time.time())


async def gather_some(workspace: Workspace, run_id: int) -> int:
    """Put some failures that an older version recorded into clusters; return how many, 0 when all are."""
    return await clusters.gather(workspace.db, run_id, limit=_GATHERED_AT_ONCE)


async def gathered_table(workspace: Workspace, run_id: int) -> FailureTable:
    """Return the clusters of a run with all that older versions recorded."""
    while await gather_some(workspace, run_id):
        pass
    return await failure_table(workspace, run_id)


def find_cluster(table: FailureTable, number: int) -> FailureCluster:
    """Return the cluster that `number` names. Raises VqaError when there is none."""
    for cluster in table.clusters:
        if number in cluster.ids:
            return cluster
    raise VqaError(f"this run has no cluster {number}", hint="`vqa-tui run failures RUN` lists them.")


async def cluster_detail(
    workspace: Workspace, run_id: int, cluster: FailureCluster, *, tries: bool = False
) -> ClusterDetail:
    """Return what is known of pictures that failed so for good; with `tries` of all requests that ended so."""
    return await failures.cluster_detail(workspace.db, run_id, cluster.ids, tries=tries)


async def cluster_task_ids(workspace: Workspace, ids: Sequence[int], *, tries: bool = False) -> "array[int]":
    """Return the pictures of clusters: those that failed for good, or with `tries` all that ever met this failure."""
    return await failures.cluster_task_ids(workspace.db, ids, tries=tries)
