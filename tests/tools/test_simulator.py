import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agentinstruct.tools.simulator import Api, ApiParameter, Library, Simulator, openai_tools


def parameter(name, kind="string", required=True, **more):
    return {"name": name, "type": kind, "description": f"The {name}.", "required": required, **more}


def api(name, *parameters, **more):
    return {"name": name, "description": f"Does {name}.", "parameters": list(parameters), **more}


SHOP = {
    "apis": [
        api("get_product", parameter("product_id")),
        api(
            "search_products",
            parameter("title", required=False),
            parameter("max_price", "number", required=False),
            parameter("colour", required=False, enum=["red", "green"], default="green"),
        ),
        api("restock", parameter("product_id"), parameter("quantity", "integer")),
        api(
            "buy",
            parameter("product_id"),
            parameter("quantity", "integer"),
            parameter("gift", "boolean", required=False),
        ),
        api("cancel_order", parameter("order_id")),
        api("orders_of", parameter("product_id")),
        api("quote", parameter("product_id"), parameter("quantity", "integer"), parameter("rate", "number")),
        api("stock_value", parameter("colour", required=False)),
        api("convert", parameter("amount", "number"), parameter("rate", "number")),
        api("tag", parameter("product_id"), parameter("tags", "array"), parameter("meta", "object", required=False)),
        api("send_postcard", parameter("text")),
    ],
    "collections": [
        {
            "name": "products",
            "key": "id",
            "fields": ["id", "title", "price", "quantity", "colour", "tags"],
            "rows": [
                ["P-009", "Green Tea", 4.5, 10, "green", None],
                ["P-008", "Red Mug", 12, 3, "red", None],
                ["P-010", "Tea Pot", 30.0, 0, "red", None],
            ],
        },
        {"name": "orders", "key": "number", "fields": ["number", "product", "total", "gift"], "rows": []},
    ],
    "behaviours": [
        {"api": "get_product", "operation": "get", "collection": "products", "key_parameter": "product_id"},
        {
            "api": "search_products",
            "operation": "search",
            "collection": "products",
            "links": [
                {"parameter": "title", "field": "title", "match": "contains"},
                {"parameter": "max_price", "field": "price", "match": "at_most"},
                {"parameter": "colour", "field": "colour"},
            ],
        },
        {
            "api": "restock",
            "operation": "update",
            "collection": "products",
            "key_parameter": "product_id",
            "changes": [{"field": "quantity", "expression": "row_quantity + quantity"}],
            "guard": "quantity > 0",
            "error": "Quantity must be positive.",
        },
        {
            "api": "buy",
            "operation": "update",
            "collection": "products",
            "key_parameter": "product_id",
            "changes": [{"field": "quantity", "expression": "row_quantity - quantity"}],
        },
        {
            "api": "buy",
            "operation": "create",
            "collection": "orders",
            "links": [{"parameter": "product_id", "field": "product"}, {"parameter": "gift", "field": "gift"}],
            "changes": [{"field": "total", "expression": "price * quantity"}],
            "guard": "row_quantity >= 0",
            "error": "Not enough in stock.",
        },
        {"api": "cancel_order", "operation": "delete", "collection": "orders", "key_parameter": "order_id"},
        {
            "api": "orders_of",
            "operation": "search",
            "collection": "orders",
            "links": [{"parameter": "product_id", "field": "product"}],
        },
        {
            "api": "quote",
            "operation": "compute",
            "collection": "products",
            "key_parameter": "product_id",
            "expression": "price * quantity / rate",
        },
        {
            "api": "stock_value",
            "operation": "compute",
            "collection": "products",
            "links": [{"parameter": "colour", "field": "colour"}],
            "expression": "dot(price, quantity)",
        },
        {"api": "convert", "operation": "compute", "expression": "round(amount * rate, 2)"},
        {
            "api": "tag",
            "operation": "update",
            "collection": "products",
            "key_parameter": "product_id",
            "links": [{"parameter": "tags", "field": "tags"}],
        },
    ],
}


@pytest.fixture
def shop():
    return Simulator(Library.model_validate(SHOP))


def test_what_has_a_valid_behaviour_is_executable_and_the_rest_is_reported(shop):
    assert shop.executable == {one["name"] for one in SHOP["apis"]} - {"send_postcard"}
    assert shop.problems == ("api send_postcard is not executable: no behaviour is given for it",)
    assert shop.call("send_postcard", {"text": "hi"}).error.code == "not_executable"


def test_get_gives_a_row_that_shares_nothing_with_the_state(shop):
    row = shop.call("get_product", {"product_id": "P-008"}).value
    assert row == {"id": "P-008", "title": "Red Mug", "price": 12, "quantity": 3, "colour": "red", "tags": None}
    row["price"] = 0
    assert shop.call("get_product", {"product_id": "P-008"}).value["price"] == 12


def test_search_filters_by_what_was_given_and_by_defaults(shop):
    def ids(**arguments):
        return [row["id"] for row in shop.call("search_products", arguments).value]

    assert ids() == ["P-009"]
    assert ids(colour="red") == ["P-008", "P-010"]
    assert ids(title="TEA", colour="red") == ["P-010"]
    assert ids(max_price=12, colour="red") == ["P-008"]


def test_update_changes_the_state_and_a_guard_refuses(shop):
    done = shop.call("restock", {"product_id": "P-010", "quantity": 5})
    assert done.ok and done.changed and done.value["quantity"] == 5
    refused = shop.call("restock", {"product_id": "P-010", "quantity": -5})
    assert not refused.ok and not refused.changed
    assert (refused.error.code, refused.error.message) == ("refused", "Quantity must be positive.")


def test_behaviours_of_one_function_happen_together_or_not_at_all(shop):
    order = shop.call("buy", {"product_id": "P-009", "quantity": 4})
    assert order.value == {"number": 1, "product": "P-009", "total": 18.0, "gift": None}
    assert shop.call("get_product", {"product_id": "P-009"}).value["quantity"] == 6
    before = shop.state()
    assert shop.call("buy", {"product_id": "P-008", "quantity": 4}).error.message == "Not enough in stock."
    assert shop.state() == before


def test_delete_takes_keys_as_text_or_number(shop):
    shop.call("buy", {"product_id": "P-009", "quantity": 1})
    assert shop.call("cancel_order", {"order_id": 1}).value == {"deleted": True}
    assert shop.call("cancel_order", {"order_id": "1"}).error.code == "not_found"


def test_compute_over_a_row_over_rows_and_over_arguments(shop):
    assert shop.call("quote", {"product_id": "P-009", "quantity": 3, "rate": 0.9}).value == 15.0
    assert shop.call("stock_value", {"colour": "red"}).value == 36
    assert shop.call("stock_value", {}).value == 81.0
    assert shop.call("convert", {"amount": 0.1, "rate": 3}).value == 0.3
    assert shop.call("quote", {"product_id": "P-009", "quantity": 3, "rate": 0}).error.code == "failed"


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("fly", {}, "unknown_function"),
        ("buy", {"product_id": "P-009"}, "missing_parameter"),
        ("buy", {"product_id": "P-009", "quantity": None}, "missing_parameter"),
        ("buy", {"product_id": "P-009", "quantity": 1, "speed": 2}, "unknown_parameter"),
        ("buy", {"product_id": "P-009", "quantity": 1.5}, "wrong_type"),
        ("buy", {"product_id": "P-009", "quantity": "one"}, "wrong_type"),
        ("buy", {"product_id": "P-009", "quantity": True}, "wrong_type"),
        ("buy", {"product_id": ["P-009"], "quantity": 1}, "wrong_type"),
        ("buy", {"product_id": "P-009", "quantity": 10**6000}, "wrong_type"),
        ("buy", {"product_id": "P-009", "quantity": 1, "gift": "maybe"}, "wrong_type"),
        ("convert", {"amount": float("nan"), "rate": 1}, "wrong_type"),
        ("convert", {"amount": "NaN", "rate": 1}, "wrong_type"),
        ("tag", {"product_id": "P-009", "tags": "a, b"}, "wrong_type"),
        ("tag", {"product_id": "P-009", "tags": [["a"]]}, "wrong_type"),
        ("tag", {"product_id": "P-009", "tags": [], "meta": "[" * 900}, "wrong_type"),
        ("tag", {"product_id": "P-009", "tags": [], "meta": '{"a":' * 90 + "1" + "}" * 90}, "wrong_type"),
        ("search_products", {"colour": "blue"}, "not_allowed"),
        ("get_product", {"product_id": "P-999"}, "not_found"),
    ],
)
def test_a_wrong_call_gives_its_error_and_changes_nothing(shop, name, arguments, code):
    before = shop.state()
    result = shop.call(name, arguments)
    assert (result.ok, result.changed, result.error.code) == (False, False, code)
    assert json.loads(result.content())["error"] == {"code": code, "message": result.error.message}
    assert shop.state() == before


def test_values_are_converted_only_where_nothing_is_lost(shop):
    assert shop.call("restock", {"product_id": "P-010", "quantity": "7"}).value["quantity"] == 7
    assert shop.call("restock", {"product_id": "P-010", "quantity": 3.0}).value["quantity"] == 10
    assert shop.call("convert", {"amount": "1.5e1", "rate": 2}).value == 30.0
    assert shop.call("buy", {"product_id": "P-009", "quantity": 1, "gift": "True"}).value["gift"] is True
    assert shop.call("tag", {"product_id": "P-009", "tags": '["new", 5]'}).value["tags"] == ["new", "5"]


def test_state_reset_and_fork(shop):
    start, other = shop.state(), shop.fork()
    shop.call("buy", {"product_id": "P-009", "quantity": 1})
    assert shop.state() != start and other.state() == start
    other.call("buy", {"product_id": "P-009", "quantity": 1})
    assert shop.state() == other.state()
    assert shop.fork().state() == shop.state()
    shop.reset()
    assert shop.state() == start


def one_table(keys, behaviour, *parameters):
    table = {"name": "t", "key": "k", "fields": ["k", "v"], "rows": [[key, 1] for key in keys]}
    return Simulator(
        Library.model_validate({"apis": [api("f", *parameters)], "collections": [table], "behaviours": [behaviour]})
    )


@pytest.mark.parametrize(
    ("keys", "new"),
    [([], 1), ([3, 9], 10), (["ORD-008", "ORD-009"], "ORD-010"), (["a"], "a_1"), (["x1", "a", "x2"], "x3")],
)
def test_a_new_row_gets_the_next_key_in_the_style_of_the_others(keys, new):
    simulator = one_table(keys, {"api": "f", "operation": "create", "collection": "t"})
    assert simulator.call("f", {}).value == {"k": new, "v": None}


def test_without_links_parameters_belong_to_the_fields_of_their_name():
    made = one_table(["a"], {"api": "f", "operation": "create", "collection": "t"}, parameter("v"), parameter("p"))
    assert made.call("f", {"v": "new", "p": "x"}).value == {"k": "a_1", "v": "new"}
    update = {"api": "f", "operation": "update", "collection": "t", "key_parameter": "k"}
    changed = one_table(["a"], update, parameter("k"), parameter("v", "integer"))
    assert changed.call("f", {"k": "a", "v": 9}).value == {"k": "a", "v": 9}
    search = one_table(["a", "b"], {"api": "f", "operation": "search", "collection": "t"}, parameter("k"))
    assert search.call("f", {"k": "b"}).value == [{"k": "b", "v": 1}]


def test_what_goes_without_saying_is_filled_in():
    spec = {
        "apis": [api("lend", parameter("book_id"), parameter("member"))],
        "collections": [
            {
                "name": "books",
                "key": "id",
                "fields": ["title", "copies"],
                "rows": [["7", "Emma", "3"], ["8", "1984", "0"]],
            }
        ],
        "behaviours": [
            {
                "api": "lend",
                "operation": "update",
                "collection": "books",
                "key_parameter": "id",
                "changes": [{"field": "copies", "expression": "copies - 1"}],
                "guard": "copies > 0",
            }
        ],
    }
    library = Simulator(Library.model_validate(spec))
    lent = library.call("lend", {"book_id": "7", "member": "Bo"})
    assert lent.value == {"id": "7", "title": "Emma", "copies": 2}
    assert library.call("lend", {"book_id": "8", "member": "Bo"}).error.code == "refused"


def test_a_key_that_is_taken_is_refused():
    create = {"api": "f", "operation": "create", "collection": "t", "links": [{"parameter": "p", "field": "k"}]}
    simulator = one_table(["a"], create, parameter("p"))
    assert simulator.call("f", {"p": "a"}).error.code == "already_exists"
    assert simulator.call("f", {"p": "b"}).value == {"k": "b", "v": None}


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ({"operation": "get", "collection": "t"}, "key_parameter"),
        ({"operation": "get", "collection": "none", "key_parameter": "p"}, "no usable collection"),
        ({"operation": "create"}, "no usable collection"),
        ({"operation": "search", "collection": "t", "links": [{"parameter": "q", "field": "v"}]}, "link q"),
        ({"operation": "search", "collection": "t", "links": [{"parameter": "p", "field": "w"}]}, "link p"),
        ({"operation": "update", "collection": "t", "key_parameter": "p"}, "needs links or changes"),
        (
            {
                "operation": "update",
                "collection": "t",
                "key_parameter": "p",
                "links": [{"parameter": "p", "field": "k"}],
            },
            "must not change the key",
        ),
        ({"operation": "create", "collection": "t", "changes": [{"field": "w", "expression": "1"}]}, "no such field"),
        ({"operation": "create", "collection": "t", "changes": [{"field": "v", "expression": "v + 1"}]}, "'v'"),
        ({"operation": "compute", "expression": ""}, "not an expression"),
        ({"operation": "compute", "expression": "q"}, "'q'"),
        ({"operation": "compute", "expression": "p", "guard": "p.upper()"}, "not allowed"),
        ({"operation": "compute", "expression": "p", "key_parameter": "p"}, "compute by key"),
    ],
)
def test_a_behaviour_that_refers_to_what_is_not_there_makes_its_function_not_executable(behaviour, reason):
    simulator = one_table(["a"], {"api": "f", **behaviour}, parameter("p"))
    assert simulator.executable == frozenset()
    assert "api f is not executable" in simulator.problems[0] and reason in simulator.problems[0]


def test_unusable_data_is_left_out_and_reported():
    spec = {
        "apis": [api("f"), api("f", parameter("other")), api("g", parameter("a"), parameter("a"))],
        "collections": [
            {"name": "t", "key": "k", "fields": ["k", "v"], "rows": [[1, 2], [1, 3], [4], [None, 5], [6, 7]]},
            {"name": "u", "key": "k", "fields": ["v"], "rows": []},
            {"name": "w", "key": "k", "fields": ["k", "k"], "rows": []},
        ],
        "behaviours": [
            {"api": "f", "operation": "search", "collection": "t"},
            {"api": "g", "operation": "search", "collection": "t"},
            {"api": "h", "operation": "search", "collection": "t"},
        ],
    }
    simulator = Simulator(Library.model_validate(spec))
    assert simulator.state() == {"t": [{"k": 1, "v": 2}, {"k": 6, "v": 7}]}
    assert simulator.executable == {"f"} and simulator.apis[0].parameters == []
    told = " | ".join(simulator.problems)
    for part in ("api f is there twice", "collection u", "collection w", "row [4]", "g is not", "h is not"):
        assert part in told


def test_names_become_identifiers():
    assert Api.model_validate(api("Stack.push()")).name == "Stack_push"
    assert Api.model_validate(api("2fa-check")).name == "_2fa_check"
    with pytest.raises(ValidationError, match="no letter or digit"):
        Api.model_validate(api("***"))


def test_slips_that_small_models_make_are_put_right():
    given = api(
        "f", parameter("a", default=""), parameter("b", required=False, default="None"), errors=["", " no row "]
    )
    made = Api.model_validate(given)
    assert [one.default for one in made.parameters] == [None, None] and made.errors == ["no row"]
    assert made.parameters[0].enum == ApiParameter.model_validate(parameter("c", enum=[" "])).enum == []


def test_openai_tools_render_the_documentation_as_a_schema():
    spec = api(
        "find",
        parameter("city"),
        parameter("unit", required=False, enum=["c", "f"], default="c"),
        parameter("days", "array", required=False, items="integer"),
        returns="The weather.",
        errors=["unknown city"],
    )
    (tool,) = openai_tools([Api.model_validate(spec)])
    assert tool == {
        "type": "function",
        "function": {
            "name": "find",
            "description": "Does find.\nReturns: The weather.\nErrors: unknown city",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "The city."},
                    "unit": {"type": "string", "description": "The unit.", "enum": ["c", "f"], "default": "c"},
                    "days": {"type": "array", "description": "The days.", "items": {"type": "integer"}},
                },
                "required": ["city"],
            },
        },
    }


def test_the_schema_a_model_must_follow_is_closed():
    schema = Library.model_json_schema()
    for part in (*schema["$defs"].values(), schema):
        assert part["additionalProperties"] is False
    with pytest.raises(ValidationError):
        ApiParameter.model_validate({**parameter("a"), "colour": "red"})


def test_a_number_too_large_for_json_is_no_result():
    square = {"api": "f", "operation": "compute", "expression": "n * n"}
    simulator = one_table([], square, parameter("n", "integer"))
    assert simulator.call("f", {"n": 10**8}).value == 10**16
    assert simulator.call("f", {"n": 10**17}).error.code == "failed"


_NAMES = st.sampled_from(["a", "b", "c", "k", "row_a"])
_SCALARS = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
_CELLS = _SCALARS | st.text(max_size=4) | st.sampled_from(["1", "A-1", "2024-01-01"])
_EXPRESSIONS = st.sampled_from(["", "a", "a + b", "row_a * 2", "a / b", "len(a)", "sum(b)", "c == a", "1 +", "k ** 99"])
_PARAMETERS = st.fixed_dictionaries(
    {
        "name": _NAMES,
        "type": st.sampled_from(["string", "integer", "number", "boolean", "array", "object"]),
        "description": st.just("d"),
        "required": st.booleans(),
        "enum": st.lists(st.text(max_size=2), max_size=1),
        "default": _CELLS,
    }
)
_APIS = st.fixed_dictionaries(
    {"name": _NAMES, "description": st.just("d"), "parameters": st.lists(_PARAMETERS, max_size=3)}
)
_COLLECTIONS = st.fixed_dictionaries(
    {
        "name": _NAMES,
        "key": _NAMES,
        "fields": st.lists(_NAMES, max_size=4, unique=True),
        "rows": st.lists(st.lists(_CELLS, max_size=4), max_size=4),
    }
)
_BEHAVIOURS = st.fixed_dictionaries(
    {
        "api": _NAMES,
        "operation": st.sampled_from(["get", "search", "create", "update", "delete", "compute"]),
        "collection": _NAMES | st.just(""),
        "key_parameter": _NAMES | st.just(""),
        "links": st.lists(
            st.fixed_dictionaries(
                {
                    "parameter": _NAMES,
                    "field": _NAMES,
                    "match": st.sampled_from(["equals", "contains", "at_least", "at_most"]),
                }
            ),
            max_size=2,
        ),
        "changes": st.lists(st.fixed_dictionaries({"field": _NAMES, "expression": _EXPRESSIONS}), max_size=2),
        "expression": _EXPRESSIONS,
        "guard": _EXPRESSIONS,
        "error": st.just(""),
    }
)
_LIBRARIES = st.fixed_dictionaries(
    {
        "apis": st.lists(_APIS, min_size=1, max_size=3),
        "collections": st.lists(_COLLECTIONS, max_size=2),
        "behaviours": st.lists(_BEHAVIOURS, max_size=4),
    }
)
_JSON = st.recursive(_CELLS, lambda part: st.lists(part, max_size=3) | st.dictionaries(_NAMES, part, max_size=2))


@settings(max_examples=300, deadline=None)
@given(_LIBRARIES, st.lists(st.tuples(_NAMES, st.dictionaries(_NAMES, _JSON, max_size=3)), max_size=6))
def test_any_library_answers_any_call_with_a_result(spec, calls):
    simulator = Simulator(Library.model_validate(spec))
    for name, arguments in calls:
        twin, before = simulator.fork(), simulator.state()
        result = simulator.call(name, arguments)
        assert result.ok is (result.error is None)
        assert result.changed is (simulator.state() != before)
        json.loads(result.content())
        assert twin.call(name, arguments) == result and twin.state() == simulator.state()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SHOP["apis"]), st.data())
def test_any_arguments_of_the_right_names_give_a_result(function, data):
    simulator = Simulator(Library.model_validate(SHOP))
    names = [one["name"] for one in function["parameters"]]
    for _ in range(3):
        arguments = data.draw(st.dictionaries(st.sampled_from(names), _JSON | st.sampled_from(["P-009", 1, 2, "red"])))
        assert isinstance(simulator.call(function["name"], arguments).content(), str)
