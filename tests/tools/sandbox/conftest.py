"""Each backend that works here, in turn."""

import pytest

from agentinstruct.tools.sandbox import Sandbox, backends


@pytest.fixture(params=["bwrap", "landlock", "wasm"], scope="module")
def box(request: pytest.FixtureRequest) -> Sandbox:
    report = next(report for report in backends() if report.name == request.param)
    if not report.works:
        pytest.skip(f"{report.name} does not work here: {report.reason}")
    return Sandbox(backend=report.name)
