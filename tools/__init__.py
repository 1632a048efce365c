"""What an agent or a node may call: plain typed functions that know nothing of agents or graphs."""
