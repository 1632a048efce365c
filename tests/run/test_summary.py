"""What a run came to: seeds, suggestions and drafts are told apart."""

from hashlib import blake2b

from agentinstruct.run.journal import Journal
from agentinstruct.run.summary import STAGES, summarise


def ident(name):
    return blake2b(name.encode(), digest_size=16).hexdigest()


def lost(stage, reason="judge", *verdicts):
    row = {"stage": stage, "reason": reason, "skill": "rc", "category": "", "detail": "", "source": "a.md"}
    return row | {"verdicts": list(verdicts)}


def verdict(check, passed, kind="exact"):
    return {"check": check, "passed": passed, "kind": kind, "evidence": ""}


def test_drafts_are_records_and_what_was_dropped_of_them(tmp_path):
    record = {"skill": "rc", "category": "main", "accepted": True, "depth": 0, "verdicts": []}
    stages = ("instruct", "edit", "answer", "verify", "verify", "suggest/harder", "transform/retrieve")
    with Journal.open(tmp_path / "run", {"skills": ["rc"]}) as journal:
        journal.finish(ident("a"), "rc", ident("s"), [record, record | {"depth": 1}], [lost(stage) for stage in stages])
        journal.finish(ident("b"), "rc", ident("t"), [], [lost("transform", "declined")])
        journal.finish(ident("c"), "rc", ident("u"), [], [lost("transform/simulate", "wrong shape")])
        journal.flush()
        summary = summarise(journal)
    assert summary.drafts == 2 + 5
    assert summary.drafts - sum(summary.dropped[stage] for stage in STAGES) == summary.records["rc"]
    assert (summary.declined, summary.suggestions, summary.refined) == (2, 1, 1)


def test_a_check_is_counted_once_for_each_draft_it_was_asked_about(tmp_path):
    passed = [verdict("constraints", True), verdict("constraints", True), verdict("judge", True, "model")]
    record = {"skill": "rc", "category": "main", "accepted": True, "depth": 0, "verdicts": passed}
    failed = lost("verify", "constraints", verdict("constraints", True), verdict("constraints", False))
    with Journal.open(tmp_path / "run", {"skills": ["rc"]}) as journal:
        journal.finish(ident("a"), "rc", ident("s"), [record], [failed, lost("answer", "refusal")])
        journal.flush()
        checks = summarise(journal).checks
    assert [(one.check, one.kind, one.asked, one.failed) for one in checks] == [
        ("constraints", "exact", 2, 1),
        ("judge", "model", 1, 0),
    ]
