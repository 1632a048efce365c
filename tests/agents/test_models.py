"""What a model's spec names, what a wrong one is told, and models that LangChain brings."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage

from agentinstruct.agents.agent import strict_schema
from agentinstruct.agents.errors import ModelError, ProviderError
from agentinstruct.agents.gateway import Gateway, Patience, Request, RetryableError
from agentinstruct.agents.models import Endpoints, open_model
from agentinstruct.agents.replies import Agreement

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def request(spec: str = "fake:one", **more: Any) -> Request:
    return Request("agree", "judge", spec, [{"role": "user", "content": "Same?"}], **more)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("openai:", ["needs a model's name", "openai:gpt-4.1-mini"]),
        ("openai:gpt-4.1-mini", ["OPENAI_API_KEY", "--base-url"]),
        ("gpt-4.1-mini", ["'gpt-4.1-mini'", "openai:<name>"]),
        ("", ["no model ''", "scripted"]),
        (":x", ["no model ':x'"]),
        ("opnai:gpt-4.1-mini", ["no model opnai:gpt-4.1-mini", "openai:<name>"]),
        ("anthropic:claude", ["anthropic:claude", "pip install", "langchain-anthropic"]),
        ("local:9b", ["local:9b", "1.5b", "135m", ".gguf"]),
        ("local:missing.gguf", ["local:missing.gguf", "no such file"]),
        ("local:/no/such/model", ["no such file", "GGUF"]),
    ],
)
def test_a_wrong_spec_is_told_what_to_do(spec: str, words: list[str]) -> None:
    with pytest.raises(ModelError) as caught:
        open_model(spec)
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        open_model(f"local:{tmp_path}")


def test_base_urls_and_keys_come_from_options_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"  {KEY}\n")
    assert vars(open_model("openai:one"))["base_url"] == "https://api.openai.com/v1"
    assert vars(open_model("openai:one"))["api_key"] == KEY, "line ends around a key are a common slip"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1/")
    assert vars(open_model("openai:one"))["base_url"] == "http://127.0.0.1:1/v1"
    endpoints = Endpoints("http://a.example/v1", by_model={"two": "http://b.example/v1"})
    assert vars(endpoints.open("openai:one"))["base_url"] == "http://a.example/v1"
    assert vars(endpoints.open("openai:two"))["base_url"] == "http://b.example/v1"


def test_wrong_urls_and_keys_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"--base-url 'localhost:8000' must start with http://"):
        Endpoints("localhost:8000").open("openai:one")
    with pytest.raises(ModelError, match="OPENAI_API_KEY") as caught:
        Endpoints("http://127.0.0.1:1/v1", api_key=f"{KEY}\nx: y").open("openai:one")
    assert KEY not in str(caught.value)


def test_keys_are_in_no_repr() -> None:
    endpoints = Endpoints("http://127.0.0.1:1/v1", api_key=KEY)
    assert KEY not in repr(endpoints) + repr(endpoints.open("openai:one"))


async def test_scripted_needs_nothing() -> None:
    gateway = Gateway(open_model)
    assert (await gateway.complete(request("scripted"))).text
    assert gateway.width("scripted") == 64
    await gateway.aclose()


# --- LangChain ----------------------------------------------------------------------------------------------------


def provide(monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    """A LangChain that knows one model: `fake:<any name>`."""

    def init_chat_model(name: str, model_provider: str) -> Any:
        if model_provider != "fake":
            raise ValueError(f"Unsupported {model_provider}")
        return model

    module = ModuleType("langchain.chat_models")
    module.init_chat_model = init_chat_model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "langchain.chat_models", module)


async def test_any_langchain_model_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    provide(monkeypatch, FakeListChatModel(responses=['{"why": "Same.", "same": true}']))
    gateway = Gateway(open_model)
    reply = await gateway.complete(request(schema=strict_schema(Agreement)))
    assert Agreement.model_validate_json(reply.text).same
    assert reply.finish_reason == "stop"
    await gateway.aclose()


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"stop_reason": "max_tokens"}, "length"),
        ({"finish_reason": "MAX_TOKENS"}, "length"),
        ({"finish_reason": "length"}, "length"),
        ({"stop_reason": "refusal"}, "content_filter"),
        ({"stop_reason": "end_turn"}, "end_turn"),
        ({}, "stop"),
    ],
)
async def test_tokens_and_ends_are_read_in_each_providers_words(
    monkeypatch: pytest.MonkeyPatch, metadata: dict[str, Any], reason: str
) -> None:
    usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10, "input_token_details": {"cache_read": 4}}
    content = [{"type": "text", "text": "Yes\x00, "}, {"type": "text", "text": "both."}]
    said = AIMessage(content, response_metadata=metadata, usage_metadata=usage)
    provide(monkeypatch, GenericFakeChatModel(messages=iter([said])))
    reply = await open_model("fake:one").complete(request())
    assert (reply.text, reply.finish_reason) == ("Yes, both.", reason)
    assert (reply.input_tokens, reply.cached_tokens, reply.output_tokens) == (7, 4, 3)


async def test_a_providers_own_error_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    provide(monkeypatch, GenericFakeChatModel(messages=iter([])))
    with pytest.raises(RetryableError):
        await open_model("fake:one").complete(request())
    gateway = Gateway(open_model, patience=Patience(attempts=3, base_s=0))
    with pytest.raises(ProviderError, match=r"fake:one.*3 attempts"):
        await gateway.complete(request())
    assert gateway.statistics.retries == 2
    await gateway.aclose()


def test_without_langchain_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    with pytest.raises(ModelError, match="pip install langchain langchain-mistral"):
        open_model("mistral:large")
