"""The way into a Ray cluster: quiet, without statistics, and with nothing of this process but what is given."""

import logging
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from agentinstruct.agents.errors import SetupError

NAMESPACE = "agentinstruct"
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_DEDUP_LOGS": "0"}


def loaded() -> Any:
    """Ray, not connected yet. Raises `SetupError` where it is not installed."""
    os.environ |= _QUIET
    try:
        import ray
    except ImportError as missing:
        raise SetupError("--engine ray: Ray is not installed: pip install 'agentinstruct[ray]'.") from missing
    logging.getLogger("ray").setLevel(logging.ERROR)
    return ray


@contextmanager
def last_words(kept: str) -> Iterator[None]:
    """Say what to do should this process end inside the block: Ray ends it, without a word, when its cluster ends.

    Another process says it, since nothing of this one is asked.
    """
    told = (
        "This command has ended in mid-work: its Ray cluster was shut down or lost, or it was killed. Once the cluster "
        f"is there, give the same command again: {kept}"
    )
    words = ["/bin/sh", "-c", 'read -r _ || printf "%s\\n" "$1" >&2', "sh", told]
    speaker = subprocess.Popen(  # noqa: S603 - our own words; a session of its own, which no Ctrl-C reaches
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, text=True
    )
    try:
        yield
    finally:
        speaker.communicate("in order\n")


def heed_signals() -> None:
    """Once connected: signals end this process as before; Ray would abort it."""
    with suppress(ValueError):  # not in the main thread: signals are not ours
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def connect(ray: Any, address: str) -> None:
    """Join the cluster at an address, or that of this machine, or one that is started here. Raises `SetupError`."""
    job = ray.job_config.JobConfig()
    job._py_driver_sys_path = _Nowhere()
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    quiet |= {"namespace": NAMESPACE, "job_config": job}
    if "://" in address:
        raise SetupError(
            f"--address {address}: give HOST:PORT of the cluster's head, and start the run on one of its machines "
            "(by ssh, or by `ray job submit`), where its folder then is."
        )
    try:
        ray.init(address=address or "auto", **quiet)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as problem:
        if address or os.environ.get("RAY_ADDRESS") or not isinstance(problem, ConnectionError):
            raise SetupError(
                f"--engine ray --address {address or os.environ.get('RAY_ADDRESS', 'auto')}: no Ray cluster there, or "
                f"it does not let this process in ({' '.join(str(problem).split())[:300]})."
            ) from problem
        ray.init(address="local", include_dashboard=False, object_store_memory=100 << 20, **quiet)


class _Nowhere(list[str]):
    """Workers import what their node has installed, not what lies in the folder where the run was started."""

    def extend(self, _: object) -> None:
        """Ray would add that folder."""
