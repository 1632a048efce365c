"""Each backend that works here, in turn."""

import pytest

from agentinstruct.tools.sandbox import Sandbox, backends


@pytest.fixture(params=["bwrap", "landlock", "wasm"], scope="module")
def box(request: pytest.FixtureRequest) -> Sandbox:
    return sandbox(request.param)


@pytest.fixture(params=["bwrap", "landlock"], scope="module")
def kernel_box(request: pytest.FixtureRequest) -> Sandbox:
    """One that runs a whole Python."""
    return sandbox(request.param)


@pytest.fixture(scope="module")
def wasm_box() -> Sandbox:
    return sandbox("wasm")


def sandbox(name: str) -> Sandbox:
    report = next(report for report in backends() if report.name == name)
    if not report.works:
        pytest.skip(f"{name} does not work here: {report.reason}")
    return Sandbox(backend=report.name)
