#!/bin/bash
# sbatch slurm.sh: a Ray cluster on the nodes of this job, and one run on it. Submit it again to resume.
#SBATCH --job-name=agentinstruct
#SBATCH --nodes=5
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=64G
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail

: "${BASE_URL:?the OpenAI-compatible server, such as http://gpu-01:8000/v1}" "${SEEDS:?folder or glob of documents}"
: "${RUN:?run folder: on a local disk of the first node, or one that only this job mounts, never NFS or Lustre}"
export RAY_USAGE_STATS_ENABLED=0 OMP_NUM_THREADS=1
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK # srun does not take it from sbatch (Slurm 22.05 and later)
# Whoever reaches a Ray cluster's ports can run code there: let in only who has this job's token (Ray 2.52 or later).
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
RAY_AUTH_TOKEN=$(python3 -c 'import secrets; print(secrets.token_hex(32))')

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 -w "$head" hostname -I | awk '{print $1}'):6379

srun --nodes=1 --ntasks=1 -w "$head" --overlap \
  ray start --head --node-ip-address="${address%:*}" --port=6379 --num-cpus=$((SLURM_CPUS_PER_TASK - 2)) \
  --object-store-memory=500000000 --include-dashboard=false --block &
sleep 15
others=$((SLURM_JOB_NUM_NODES - 1))
if ((others)); then
  srun --nodes=$others --ntasks=$others --exclude="$head" --overlap \
    ray start --address="$address" --num-cpus="$SLURM_CPUS_PER_TASK" --object-store-memory=500000000 --block &
  sleep 15
fi

# The time limit's SIGTERM goes to the run, which finishes its calls in flight, exports, and can be resumed.
srun --nodes=1 --ntasks=1 -w "$head" --overlap \
  agentinstruct run "$SEEDS" --engine ray --address "$address" --out "$RUN" \
  --model "openai:${MODEL:-my-model}" --base-url "$BASE_URL" --max-concurrency "${CALLS:-1024}" "$@" &
run=$!
trap 'kill -TERM $run; wait $run' TERM
wait $run
