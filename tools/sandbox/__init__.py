"""Runs Python that a model wrote, where it can reach nothing and use little; or refuses to.

    run_python("print(6 * 7)").stdout == "42\\n"
    verify("def double(n): return 2 * n", "assert double(4) == 8").passed

Backends, strongest first: bubblewrap with a launcher that restricts itself; that launcher alone (Landlock and seccomp,
one process, no privileges); CPython in WebAssembly (on any system, standard library only, an extra). Each is attacked
before it is used. There is no other way.
"""

from agentinstruct.tools.sandbox.box import Sandbox, arun_python, run_python
from agentinstruct.tools.sandbox.choice import BackendReport, backends, unavailable
from agentinstruct.tools.sandbox.results import (
    CEILING,
    Artifact,
    BackendName,
    ExecResult,
    Limits,
    SandboxGone,
    SandboxUnavailable,
    Status,
)
from agentinstruct.tools.sandbox.verification import Verdict, Verification, averify, verify

__all__ = [
    "CEILING",
    "Artifact",
    "BackendName",
    "BackendReport",
    "ExecResult",
    "Limits",
    "Sandbox",
    "SandboxGone",
    "SandboxUnavailable",
    "Status",
    "Verdict",
    "Verification",
    "arun_python",
    "averify",
    "backends",
    "run_python",
    "unavailable",
    "verify",
]
