"""The HTTP API by its contract: names, codes, and who may see what."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from studysmart import __version__
from studysmart.settings import Settings
from studysmart.store import Store
from studysmart.web import access
from studysmart.web.app import STATIC, create_app

pytestmark = pytest.mark.both_databases

Client = Callable[..., TestClient]

OWN = {
    "subject": "History",
    "topic": "Rome",
    "difficulty": "medium",
    "task_content": "When was Rome founded, by legend?",
    "solution_content": "By legend on 21 April 753 BC.",
    "answer_content": "753 BC",
}


def draw(api: TestClient, **body: Any) -> dict[str, Any]:
    """Draw a task."""
    reply = api.post("/api/practice-tasks", json=body)
    assert 201 == reply.status_code, reply.text
    return dict(reply.json())


def mark(api: TestClient, task: dict[str, Any], *, right: bool = True, time_s: float = 30) -> Any:
    """Complete a task by hand."""
    return api.patch(
        f"/api/practice-tasks/{task['id']}",
        json={"is_correct": right, "actual_time_seconds": time_s},
    )


def register(api: TestClient, email: str) -> dict[str, Any]:
    """Open an account."""
    reply = api.post(
        "/api/auth/register",
        json={"email": email, "password": "correct horse", "name": email.split("@", maxsplit=1)[0]},
    )
    assert 201 == reply.status_code, reply.text
    return dict(reply.json())


def test_the_front_door_says_what_this_is(api: TestClient):
    """The first thing that clients of the former system ask for."""
    assert api.get("/api").json() == {
        "message": "Welcome to StudySmart AI API",
        "version": __version__,
        "docs": "/api/docs",
    }
    assert "ok" == api.get("/api/livez").json()["status"]


def test_the_api_is_documented_without_another_host(api: TestClient):
    """The page at /api/docs lists every route and loads nothing from anywhere."""
    page = api.get("/api/docs")
    assert 200 == page.status_code
    document = api.get("/api/openapi.json").json()
    assert all(path in page.text for path in document["paths"])
    assert "//" not in page.text.replace("application/json", "").replace("http://", "")


def test_a_drawn_task_has_its_forecast_and_hides_its_answer(api: TestClient):
    """The names that the former system's clients use are all there."""
    task = draw(api, subject="Physics", topic="Waves", difficulty="easy")
    assert ("Physics", "Waves", "easy", "open") == (
        task["subject"], task["topic"], task["difficulty"], task["status"],
    )  # fmt: skip
    assert task["task_content"]
    assert task["predicted_correct"] == task["forecast"]["p_correct"] == 0.5
    assert task["predicted_time_seconds"] == task["forecast"]["time_median_s"] == 60.0
    assert "constant" == task["forecast"]["model"]
    assert task["model_version"] is None
    assert task["solution_content"] is None
    assert task["answer_content"] is None
    assert task == api.get(f"/api/practice-tasks/{task['id']}").json()


def test_the_same_seed_draws_the_same_task(api: TestClient):
    """For tests, for teachers, and for reports of a faulty task."""
    first, second = (draw(api, topic="Algebra", difficulty="hard", seed=11) for _ in range(2))
    assert first["id"] != second["id"]
    assert first["task_content"] == second["task_content"]


def test_an_item_is_not_given_twice_in_a_row(api: TestClient):
    """Recommended tasks vary, also within one topic."""
    for topic in (None, "Waves"):
        drawn = [draw(api, **({"topic": topic} if topic else {})) for _ in range(8)]
        given = [(task["skill"], task["difficulty"]) for task in drawn]
        assert all(first != second for first, second in pairwise(given))


@pytest.mark.parametrize("topic", ["Quantum basket weaving", "Δ😀", "'; DROP TABLE task; --"])
@pytest.mark.parametrize("difficulty", ["expert", "7", "unheard of", None])
def test_any_topic_and_difficulty_get_a_forecast(
    api: TestClient, topic: str, difficulty: str | None
):
    """What the bank does not have becomes an open task that the learner marks."""
    body = {"topic": topic} | ({"difficulty": difficulty} if difficulty else {})
    task = draw(api, **body)
    assert topic == task["topic"]
    assert "self" == task["grading"]
    assert task["notice"]
    assert 0 < task["predicted_correct"] < 1


def test_an_unknown_difficulty_of_a_known_topic_is_made_as_the_nearest(api: TestClient):
    """The word is kept, and what was made instead is said."""
    task = draw(api, topic="Waves", difficulty="expert")
    assert "expert" == task["difficulty"]
    assert "hard" in task["notice"]


def test_an_own_task_is_marked_by_oneself(api: TestClient):
    """The solution shows after revealing; marking works for both verdicts."""
    task = draw(api, **OWN)
    assert "self" == task["grading"]
    assert task["solution_content"] is None
    shown = api.post(f"/api/practice-tasks/{task['id']}/reveal").json()
    assert OWN["solution_content"] == shown["solution_content"]
    assert "revealed" == shown["status"]
    receipt = mark(api, task).json()
    assert (True, True) == (receipt["is_correct"], receipt["counts"])
    done = api.get(f"/api/practice-tasks/{task['id']}").json()
    assert ("completed", True, 30) == (
        done["status"], done["is_correct"], done["actual_time_seconds"],
    )  # fmt: skip


def test_marking_twice_is_harmless_and_changing_the_mark_is_refused(api: TestClient):
    """An answer is never overwritten."""
    task = draw(api, **OWN)
    assert mark(api, task).json() == mark(api, task).json()
    changed = mark(api, task, right=False)
    assert 409 == changed.status_code
    assert 1 == api.get("/api/training").json()["total_completed"]


def test_every_answer_moves_the_forecast_in_the_right_direction(api: TestClient):
    """Up after a right answer, down after a wrong one, from the very first."""
    for right in (True, False, True, False):
        receipt = mark(api, draw(api, topic="Algebra", difficulty="easy"), right=right).json()
        before = receipt["forecast_before"]["p_correct"]
        after = receipt["forecast_after"]["p_correct"]
        assert (after > before) == right


def test_a_right_answer_after_the_solution_was_seen_does_not_count(api: TestClient):
    """It says nothing about knowing; a wrong one still does."""
    for answered_right, counts in ((True, False), (False, True)):
        task = draw(api, topic="Algebra")
        api.post(f"/api/practice-tasks/{task['id']}/reveal")
        assert counts == mark(api, task, right=answered_right).json()["counts"]
    assert 1 == api.get("/api/training").json()["total_completed"]


def test_an_unreadable_answer_costs_nothing_and_leaves_its_id_free(api: TestClient):
    """The same id can be sent again with something readable."""
    task = draw(api, topic="Statistics", difficulty="easy", seed=3)
    body = {"id": str(uuid4()), "answer": "about ten?!", "response_time_s": 5.0}
    first = api.post(f"/api/practice-tasks/{task['id']}/attempts", json=body)
    assert 200 == first.status_code
    assert ("invalid", None, False) == tuple(
        first.json()[k] for k in ("verdict", "is_correct", "recorded")
    )
    second = api.post(f"/api/practice-tasks/{task['id']}/attempts", json=body | {"answer": "12345"})
    assert "incorrect" == second.json()["verdict"]


def test_an_attempt_id_of_somebody_else_is_a_conflict_that_tells_nothing(open_client: Client):
    """Ids are global; a clash reveals neither answer nor owner."""
    ada, bob = open_client(), open_client()
    register(ada, "ada@example.org")
    register(bob, "bob@example.org")
    body = {"id": str(uuid4()), "answer": "1", "response_time_s": 5.0}
    first, second = (draw(c, topic="Statistics", difficulty="easy", seed=3) for c in (ada, bob))
    assert 200 == ada.post(f"/api/practice-tasks/{first['id']}/attempts", json=body).status_code
    clash = bob.post(f"/api/practice-tasks/{second['id']}/attempts", json=body)
    assert 409 == clash.status_code
    assert "solution" not in clash.text


def test_deleting_a_task_takes_its_answer_back(api: TestClient):
    """It no longer counts, and the task is gone."""
    task = draw(api, **OWN)
    mark(api, task)
    assert 204 == api.delete(f"/api/practice-tasks/{task['id']}").status_code
    assert 404 == api.get(f"/api/practice-tasks/{task['id']}").status_code
    training = api.get("/api/training").json()
    assert (0, 0) == (training["total_completed"], training["completed_since_training"])
    assert 0 == api.get("/api/insights").json()["answers"]


def test_tasks_are_listed_newest_first_by_subject_and_topic(api: TestClient):
    """Labels compare without case."""
    drawn = [draw(api, **OWN | {"task_content": str(n)}) for n in range(3)]
    draw(api, topic="Waves")
    listed = api.get("/api/practice-tasks", params={"subject": "HISTORY", "limit": 2}).json()
    assert [drawn[2]["id"], drawn[1]["id"]] == [task["id"] for task in listed]
    assert 1 == len(api.get("/api/practice-tasks", params={"topic": "waves"}).json())
    assert drawn[2]["id"] == api.get("/api/practice-tasks/subject/history/latest").json()["id"]
    assert 404 == api.get("/api/practice-tasks/subject/Nothing/latest").status_code


def test_predicting_takes_a_thousand_items_and_no_more(api: TestClient):
    """All in one call, in order."""
    items = [{"topic": f"t{n % 7}", "difficulty": "easy"} for n in range(1000)]
    reply = api.post("/api/predict", json={"items": items})
    assert 1000 == len(reply.json()["forecasts"])
    assert 422 == api.post("/api/predict", json={"items": [*items, {}]}).status_code
    assert 422 == api.post("/api/predict", json={"items": []}).status_code


def test_somebody_elses_task_is_indistinguishable_from_a_missing_one(open_client: Client):
    """Same code, same words, for every verb."""
    ada, bob = open_client(), open_client()
    register(ada, "ada@example.org")
    register(bob, "bob@example.org")
    theirs, nobodys = draw(ada, **OWN)["id"], str(uuid4())
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("DELETE", "", {}),
        ("POST", "/reveal", {}),
        ("PATCH", "", {"json": {"is_correct": True, "actual_time_seconds": 3}}),
        ("POST", "/attempts",
         {"json": {"id": str(uuid4()), "answer": "1", "response_time_s": 3}}),
    ]  # fmt: skip
    for method, suffix, options in requests:
        replies = [
            bob.request(method, f"/api/practice-tasks/{task}{suffix}", **options)
            for task in (theirs, nobodys)
        ]
        assert [404, 404] == [reply.status_code for reply in replies], method
        told = [reply.json() | {"request_id": ""} for reply in replies]
        assert told[0]["detail"].replace(theirs, "X") == told[1]["detail"].replace(nobodys, "X")
        assert told[0]["code"] == told[1]["code"]
    assert "open" == ada.get(f"/api/practice-tasks/{theirs}").json()["status"]


def test_the_first_account_takes_over_what_was_practised(open_client: Client):
    """And from then on nobody acts without signing in."""
    api, stranger = open_client(), open_client()
    task = draw(api, **OWN)
    assert api.get("/api/auth/me").json()["local"]
    me = register(api, "ada@example.org")
    assert ("operator", False) == (me["role"], me["local"])
    assert 200 == api.get(f"/api/practice-tasks/{task['id']}").status_code
    refused = stranger.get("/api/auth/me")
    assert (401, "not_signed_in") == (refused.status_code, refused.json()["code"])


def test_signing_in_and_out(open_client: Client):
    """A wrong password and an unknown address get the same answer; signing out ends the session."""
    ada, api = open_client(), open_client()
    register(ada, "ada@example.org")
    wrong = [
        api.post("/api/auth/login", json={"email": email, "password": password})
        for email, password in (
            ("ada@example.org", "correct house"),
            ("nobody@example.org", "correct horse"),
        )
    ]
    assert [401, 401] == [reply.status_code for reply in wrong]
    assert wrong[0].json()["detail"] == wrong[1].json()["detail"]
    right = api.post(
        "/api/auth/login", json={"email": "ADA@example.org", "password": "correct horse"}
    )
    assert 200 == right.status_code
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    kept = dict(api.cookies)
    assert 204 == api.post("/api/auth/logout").status_code
    api.cookies.update(kept)
    assert 401 == api.get("/api/auth/me").status_code, "the session is over on the server too"


def test_a_bearer_token_acts_for_its_account(open_client: Client):
    """Programs need no cookie."""
    ada, program = open_client(), open_client()
    assert 409 == ada.post("/api/auth/tokens", json={}).status_code
    register(ada, "ada@example.org")
    token = ada.post("/api/auth/tokens", json={"name": "script"}).json()["token"]
    program.headers["authorization"] = f"Bearer {token}"
    assert "ada@example.org" == program.get("/api/auth/me").json()["email"]
    assert 401 == program.get("/api/auth/me", headers={"authorization": "Bearer x"}).status_code


def test_only_operators_ask_for_a_training(open_client: Client):
    """A learner is told so."""
    ada, bob = open_client(), open_client()
    register(ada, "ada@example.org")
    register(bob, "bob@example.org")
    because = {"reason": "to see it"}
    assert 202 == ada.post("/api/training/run", json=because).status_code
    assert 403 == bob.post("/api/training/run", json=because).status_code


def test_every_route_declares_who_may_use_it(store: Store, tmp_path: Path):
    """A route without `Anyone`, `Signed` or `Operator` fails here, whichever module has it."""
    policies = {access.anyone, access.signed, access.operator}
    app = create_app(store, Settings(data_dir=tmp_path))
    routes = [
        route
        for one in app.routes
        for route in getattr(getattr(one, "original_router", None), "routes", [one])
        if isinstance(route, APIRoute)
    ]
    assert len(routes) > 20
    for route in routes:
        declared = {d.call for d in route.dependant.dependencies} & policies
        assert 1 == len(declared), f"{route.path} declares no policy, or two"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"host": "evil.example"}, 421),
        ({"content-type": "text/plain"}, 415),
        ({"sec-fetch-site": "same-origin"}, 201),
        ({"origin": "http://127.0.0.1:4008"}, 201),
        ({}, 201),
    ],
)
def test_a_page_of_another_site_changes_nothing(
    api: TestClient, headers: dict[str, str], status: int
):
    """Foreign origins, foreign names for this machine, and forms are refused."""
    reply = api.post(
        "/api/practice-tasks",
        content=b'{"topic": "Waves"}',
        headers={"content-type": "application/json"} | headers,
    )
    assert status == reply.status_code, reply.text
    assert (1 if status == 201 else 0) == len(api.get("/api/practice-tasks").json())


def test_a_body_that_is_too_large_is_refused(api: TestClient):
    """By its length, and when it has none by what arrives."""
    large = b'{"topic": "' + b"x" * 2_000_000 + b'"}'
    json_type = {"content-type": "application/json"}
    assert 413 == api.post("/api/predict", content=large, headers=json_type).status_code


def test_a_body_without_a_length_is_cut_off_when_it_grows_too_large(api: TestClient):
    """A stream of unknown length ends in a refusal, not in the server's memory."""

    def endless() -> Iterator[bytes]:
        yield b'{"topic": "'
        for _ in range(40):
            yield b"x" * 100_000

    reply = api.post(
        "/api/practice-tasks",
        content=endless(),
        headers={"content-type": "application/json"},
    )
    assert 400 <= reply.status_code < 500


@pytest.mark.parametrize("topic", ["\\ud800", "a\\u0000b", "x" * 201, "   "])
def test_odd_labels_are_taken_or_refused_and_never_an_error(api: TestClient, topic: str):
    """Half a character, a NUL, too long, blank."""
    reply = api.post(
        "/api/practice-tasks",
        content=f'{{"topic": "{topic}"}}'.encode(),
        headers={"content-type": "application/json"},
    )
    assert reply.status_code in {201, 422}, reply.text


@pytest.mark.skipif(not STATIC.exists(), reason="the page is not built (STUDYSMART_SKIP_PAGE)")
def test_built_files_come_compressed_and_are_asked_for_once(api: TestClient):
    """Over a phone's connection every kilobyte and every round trip counts."""
    page = api.get("/dashboard/tasks")
    assert "no-cache" == page.headers["cache-control"]
    script = re.search(r'src="(/assets/[^"]+\.js)"', page.text)
    assert script is not None
    reply = api.get(script.group(1))
    assert "gzip" == reply.headers["content-encoding"]
    assert "immutable" in reply.headers["cache-control"]


def test_an_empty_task_text_is_none(api: TestClient):
    """Clients that send every field get a task from the bank."""
    assert "numeric" == draw(api, topic="Waves", task_content=" ", seed=4)["grading"]


@pytest.mark.parametrize(
    "path", ["/api", "/api/training", "/api/nothing", "/api/practice-tasks/none", "/api/docs"]
)
def test_every_answer_carries_the_security_headers(api: TestClient, path: str):
    """Also errors."""
    headers = api.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "nosniff" == headers["x-content-type-options"]
    assert "no-store" == headers["cache-control"]
    assert headers["x-request-id"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"id": "x", "answer": "1", "response_time_s": 1}, "id"),
        ({"id": str(uuid4()), "answer": "1"}, "response_time_s"),
        ({"id": str(uuid4()), "answer": "1", "response_time_s": -1}, "response_time_s"),
        ({"id": str(uuid4()), "answer": "1" * 3000, "response_time_s": 1}, "answer"),
        ({"id": str(uuid4()), "answer": "1", "response_time_s": 1, "more": 1}, "more"),
    ],
)
def test_a_faulty_body_is_answered_with_its_fault(
    api: TestClient, body: dict[str, Any], named: str
):
    """The field and what was expected."""
    task = draw(api, topic="Waves")
    reply = api.post(f"/api/practice-tasks/{task['id']}/attempts", json=body)
    assert 422 == reply.status_code
    assert named == reply.json()["errors"][0]["field"]


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking writes thousands of tasks
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(answer=st.text(max_size=60), time_s=st.floats(0, 1e7), seed=st.integers(0, 10_000))
def test_no_answer_causes_an_error(api: TestClient, answer: str, time_s: float, seed: int):
    """Whatever is typed and however long it took: a verdict, and finite forecasts."""
    task = draw(api, seed=seed)
    reply = api.post(
        f"/api/practice-tasks/{task['id']}/attempts",
        json={"id": str(uuid4()), "answer": answer, "response_time_s": time_s},
    )
    assert 200 == reply.status_code, reply.text
    after = reply.json()["forecast_after"]
    if after is not None:
        assert all(math.isfinite(after[k]) for k in ("p_correct", "time_low_s", "time_high_s"))


def test_preferences_are_kept(api: TestClient):
    """Theme and what is shown."""
    assert "auto" == api.get("/api/preferences").json()["theme"]
    wanted = {"theme": "dark", "show_forecast": False, "show_timer": True}
    assert wanted == api.put("/api/preferences", json=wanted).json()
    assert wanted == api.get("/api/preferences").json()


def test_insights_come_from_the_log_alone(api: TestClient):
    """Counts, medians and reliability agree with what was answered."""
    assert 0 == api.get("/api/insights").json()["answers"]
    for right, seconds in ((True, 10), (False, 20), (True, 90_000)):
        mark(api, draw(api, topic="Waves", difficulty="easy"), right=right, time_s=seconds)
    found = api.get("/api/insights").json()
    assert (3, 2, 3) == (found["answers"], found["correct"], found["forecasts_scored"])
    topic = found["topics"][0]
    assert ("Waves", 3, 2, 2, 15) == (
        topic["topic"], topic["answers"], topic["correct"], topic["timed"], topic["median_time_s"],
    )  # fmt: skip
    assert 3 == sum(part["n"] for part in found["reliability"])
    assert 3 == sum(day["answers"] for day in found["days"])


def test_readiness_names_what_is_missing(api: TestClient):
    """Without a worker the system is degraded and says why; answers are still taken."""
    reply = api.get("/api/readyz")
    assert 200 == reply.status_code
    assert "degraded" == reply.json()["status"]
    faults = {check["name"] for check in reply.json()["checks"] if not check["ok"]}
    assert {"worker"} == faults
