"""What scripts and notebooks call: the engine of `agentinstruct run` and the graphs, behind few names.

    generate · agenerate · astream   seeds in, a dataset out     ─→ run/execute.py
    load_skill · skills              one skill's graph           ─→ graphs/wiring.py

Nothing here does what the engine does: options are checked and named as the engine names them, models that are objects
are given a name, and what the engine leaves in its folder is read back. All of it is imported from `agentinstruct`.
"""
