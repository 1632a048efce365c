"""Two Ray nodes on this machine, until stdin ends; the word `kill` ends the second one as a power cut would."""

import os
import sys

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}

from ray.cluster_utils import Cluster

SMALL = {"num_cpus": 2, "object_store_memory": 80_000_000}

cluster = Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False})
second = cluster.add_node(**SMALL)
raylet = second.all_processes["raylet"][0].process.pid
print(cluster.address, cluster.head_node.get_session_dir_path(), raylet, flush=True)
for line in sys.stdin:
    if line.strip() == "kill":
        cluster.remove_node(second, allow_graceful=False)
        print("killed", flush=True)
cluster.shutdown()
