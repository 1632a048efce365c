"""What N records take, and the recipes of docs/scale.md."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from agentinstruct.agents.errors import SetupError
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.quote import Quote
from agentinstruct.run.scale import Pace, costs
from tests.run.conftest import MILL

RECIPES = Path(__file__).parents[2] / "docs" / "scale"
CLUSTER = {"rayVersion", "headGroupSpec", "workerGroupSpecs", "enableInTreeAutoscaling", "autoscalerOptions", "suspend"}
GROUP = {"groupName", "replicas", "minReplicas", "maxReplicas", "numOfHosts", "rayStartParams", "template"}
JOB = {"entrypoint", "rayClusterSpec", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "backoffLimit"}


def test_a_quote_is_stretched_to_so_many_records(program, seeds, tmp_path):
    command = ["estimate", seeds, "--model", "scripted", "-s", "text_modification", "--sample", 2, "--json"]
    done = program(*command, "--at-scale", 25_000_000, "--gpu-tokens", "1000,10", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    quote = json.loads(done.stdout)
    scale, total = quote["at_scale"], quote["total"]
    assert scale["records"] == 25_000_000
    factor = 25_000_000 / total["accepted"]["value"]
    assert scale["calls"] == pytest.approx(total["calls"]["value"] * factor)
    assert scale["written"] == pytest.approx(total["output_tokens"]["value"] * factor)
    fresh = scale["read"] - scale["cached"]
    assert scale["gpu_hours"] == pytest.approx((fresh / 1000 + scale["written"] / 10) / 3600)
    assert scale["journal_bytes"] > 25_000_000 * 100
    shown = program(*command[:-1], "--at-scale", 1000, "--out", tmp_path / "out")
    assert "For 1,000 accepted records" in shown.stdout and "hours of one GPU" not in shown.stdout


def test_the_disk_it_takes_is_no_matter_of_how_many_seeds_are_given(program, tmp_path):
    sizes = []
    for count in (8, 3000):
        texts = [MILL.replace("1742", f"1742 and sold it for {number} shillings") for number in range(count)]
        path = tmp_path / f"{count}.jsonl"
        path.write_text("\n".join(json.dumps({"text": text}) for text in texts))
        command = ["estimate", path, "-m", "scripted", "-s", "text_modification", "--sample", 4, "--json"]
        done = program(*command, "--rounds", 0, "--at-scale", 1_000_000, "--out", tmp_path / f"out {count}")
        assert done.returncode == 0, done.stderr
        sizes.append(json.loads(done.stdout)["at_scale"]["journal_bytes"])
    assert sizes[1] == pytest.approx(sizes[0], rel=0.25)


def test_caches_and_batches_make_it_cheaper(tmp_path):
    prices = tmp_path / "prices.json"
    prices.write_text('{"models": {"any": [2, 1, 10]}, "batch": 0.5}')
    quote = Quote(seeds=1, items={}, sampled={})
    paid = {"calls": 1, "input_tokens": 3e6, "cached_tokens": 1e6, "output_tokens": 1e6, "cost": 0}
    quote.payees = {("answer", "openai:any"): paid, ("judge", "scripted"): paid}
    assert costs(quote, RunConfig(paths=(), out=tmp_path, prices=prices), 10) == {
        "call by call, prefixes cached as seen": 10 * (2 * 2 + 1 + 10),
        "call by call, nothing cached": 10 * (3 * 2 + 10),
        "by batch job, prefixes cached as seen": 5 * (2 * 2 + 1 + 10),
        "by batch job, nothing cached": 5 * (3 * 2 + 10),
    }


@pytest.mark.parametrize("text", ["many", "1", "0,5", "5,-1"])
def test_a_pace_is_two_numbers(text):
    with pytest.raises(SetupError, match=f"--gpu-tokens {text}"):
        Pace.of(text)


def test_the_kubernetes_recipe_has_the_operators_fields():
    (job,) = yaml.safe_load_all((RECIPES / "kuberay.yaml").read_text())  # no volume: to delete it deletes no run
    volume, copier = yaml.safe_load_all((RECIPES / "kuberay-volume.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert set(job["spec"]) <= JOB
    cluster = job["spec"]["rayClusterSpec"]
    assert set(cluster) <= CLUSTER
    groups = [{"groupName": "head"} | cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        assert set(group) <= GROUP
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        assert group["template"]["spec"]["containers"][0]["image"]
    claim = cluster["headGroupSpec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert claim == volume["metadata"]["name"]
    assert claim == copier["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert cluster["enableInTreeAutoscaling"] is True  # else min and maxReplicas mean nothing


@pytest.mark.parametrize(("nodes", "steps"), [(1, 3), (3, 4)])
def test_the_slurm_recipe_starts_workers_only_where_there_are_other_nodes(tmp_path, nodes, steps):
    bin_, said = tmp_path / "bin", tmp_path / "said"
    bin_.mkdir()
    for name, text in {
        "srun": 'echo "$SRUN_CPUS_PER_TASK $*" >> "$SAID"\necho 10.0.0.1',
        "scontrol": "echo node-1",
        "sleep": "",
    }.items():
        (bin_ / name).write_text(f"#!/bin/sh\n{text}\n")
        (bin_ / name).chmod(0o755)
    given = {"BASE_URL": "http://gpu:8000/v1", "SEEDS": "docs", "RUN": str(tmp_path / "run"), "SAID": str(said)}
    slurm = {"SLURM_CPUS_PER_TASK": "16", "SLURM_JOB_NODELIST": "node-[1-3]", "SLURM_JOB_NUM_NODES": str(nodes)}
    path = f"{bin_}:{os.environ['PATH']}"
    subprocess.run(["bash", RECIPES / "slurm.sh"], check=True, env={"PATH": path, **given, **slurm})
    calls = said.read_text().splitlines()
    assert len(calls) == steps and all(call.startswith("16 --nodes=") for call in calls)
    assert not any("--nodes=0" in call for call in calls)


def test_the_other_recipes_can_be_read():
    subprocess.run(["bash", "-n", str(RECIPES / "slurm.sh")], check=True)
    (application,) = yaml.safe_load((RECIPES / "serve.yaml").read_text())["applications"]
    assert application["import_path"] == "ray.serve.llm:build_openai_app"
