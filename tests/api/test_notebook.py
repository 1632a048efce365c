"""The notebook runs as it stands, offline, in a kernel of its own."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_notebook_runs_and_shows_what_it_says():
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert not [out for out in outputs if out.output_type == "stream" and out.name == "stderr"]
    shown = "".join(str(out.get("data", {}).get("text/html", "")) + out.get("text", "") for out in outputs)
    assert "work items" in shown and "<pre>" in shown, "progress is displayed"
    assert "records</b> in" in shown and "✓" in shown and "verify" in shown
    assert str(sys.prefix) not in shown
