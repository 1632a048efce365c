"""What tells other programs how to read the files: the Hub's `configs`, LLaMA-Factory's and Axolotl's data sections.

README.md           `datasets.load_dataset(folder)`, or with the name of a skill that has tools
dataset_info.json   LLaMA-Factory: `dataset_dir: FOLDER`, `dataset: sharegpt_train`
axolotl.yaml        Axolotl: its `datasets:` to be copied into your configuration
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

LLAMA_FACTORY, AXOLOTL = "dataset_info.json", "axolotl.yaml"
WHOLE = "train"
"""The part of a dataset that was not split, where a trainer has to call it something."""
Files = Mapping[str, Mapping[str, list[str]]]
"""The files to be loaded together, by configuration and split."""

_LLAMA_FACTORY: Mapping[str, Mapping[str, Any]] = {
    "sharegpt": {
        "formatting": "sharegpt",
        "columns": {"messages": "conversations", "tools": "tools"},
        "tags": {
            "role_tag": "from",
            "content_tag": "value",
            "user_tag": "human",
            "assistant_tag": "gpt",
            "observation_tag": "observation",
            "function_tag": "function_call",
            "system_tag": "system",
        },
    },
    "alpaca": {"columns": {"prompt": "instruction", "query": "input", "response": "output", "system": "system"}},
}
_AXOLOTL: Mapping[str, str] = {
    "sharegpt": """\
    type: chat_template
    field_messages: conversations
    message_property_mappings: {role: from, content: value}
    roles: {system: [system], user: [human], assistant: [gpt, function_call], tool: [observation]}
""",
    "openai": """\
    type: chat_template
    field_messages: messages
    field_tools: tools
""",
    "alpaca": """\
    type:
      field_system: system
      field_instruction: instruction
      field_input: input
      field_output: output
      format: "{instruction}\\n{input}\\n"
      no_input_format: "{instruction}\\n"
""",
}


def hub_configs(files: Files) -> str:
    """The `configs` section of a dataset card, or nothing where there are no files."""
    lines = ["configs:"]
    for name, splits in files.items():
        lines += [f"- config_name: {name}", "  data_files:"]
        for split, paths in splits.items():
            lines.append(f"  - split: {split}")
            more = [f"    - {path}" for path in paths]
            lines += [f"    path: {paths[0]}"] if len(paths) == 1 else ["    path:", *more]
    return "\n".join(lines) + "\n" if files else ""


def llama_factory(formats: Iterable[tuple[str, str]]) -> bytes:
    """`dataset_info.json` for these formats and parts; empty where it reads none of them."""
    info = {
        f"{name}_{part}": {"file_name": f"{name}/{part}.jsonl", **_LLAMA_FACTORY[name]}
        for name, part in formats
        if name in _LLAMA_FACTORY
    }
    return orjson.dumps(info, option=orjson.OPT_INDENT_2) if info else b""


def axolotl(formats: Iterable[tuple[str, str]]) -> bytes:
    """`axolotl.yaml` for these formats and parts; empty where it reads none of them."""
    listed = list(_axolotl(formats))
    return "".join(["# Copy one of these into your own configuration.\n", *listed]).encode() if listed else b""


def _axolotl(formats: Iterable[tuple[str, str]]) -> Iterator[str]:
    keys = {WHOLE: "datasets", "test": "test_datasets", "validation": "test_datasets"}
    for name, part in formats:
        if name in _AXOLOTL and part in keys:
            where = f"  - path: {name}/{part}.jsonl\n    ds_type: json\n    split: train\n"
            yield f"---  # {name}, {part}\n{keys[part]}:\n{where}{_AXOLOTL[name]}"
