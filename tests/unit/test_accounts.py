"""Who is asking: the local learner, accounts, cookies, tokens, guesses."""

from pathlib import Path

import pytest

from studysmart import accounts
from studysmart.accounts import Caller
from studysmart.errors import BadInput, Conflict, NotAllowed, NotSignedIn, TooMany
from studysmart.store import Store, Tx, learners
from tests.builders import new_store

pytestmark = pytest.mark.both_databases

HASH = accounts.hash_password("correct horse battery")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A database with the local learner, as a first start leaves it."""
    store = new_store(tmp_path)
    with store.write() as tx:
        learners.ensure_local(tx, name="You", now=0.0)
    return store


def who(tx: Tx, **given: str | None) -> Caller:
    """Ask at second 100 on a loopback bind."""
    return accounts.who(
        tx, cookie=given.get("cookie"), bearer=given.get("bearer"), loopback=True, now=100.0
    )


def register(tx: Tx, email: str, name: str = "Ada") -> Caller:
    """Register without the cost of hashing."""
    return accounts.register(tx, email=email, name=name, password_hash=HASH, now=1.0)


def test_without_accounts_the_local_learner_is_the_operator(store: Store):
    """On loopback nobody has to sign in until somebody registers."""
    with store.read() as tx:
        caller = who(tx)
    assert caller.local
    caller.require_operator()


def test_without_accounts_a_network_bind_acts_for_nobody(store: Store):
    """The local learner exists for this machine only."""
    with store.read() as tx, pytest.raises(NotSignedIn):
        accounts.who(tx, cookie=None, bearer=None, loopback=False, now=100.0)


def test_the_first_account_takes_over_the_local_learner(store: Store):
    """Registering keeps what was practised before, and makes the operator."""
    with store.write() as tx:
        before = who(tx)
        first = register(tx, "ada@example.org")
        second = register(tx, "bob@example.org", "Bob")
        assert before.learner_id == first.learner_id
        assert ("operator", "learner") == (first.role, second.role)
        assert first.learner_id != second.learner_id
        with pytest.raises(NotSignedIn):
            who(tx)
        with pytest.raises(NotAllowed):
            second.require_operator()


def test_an_address_has_one_account_whatever_its_case(store: Store):
    """Ada@ and ada@ are the same address."""
    with store.write() as tx:
        register(tx, "ada@example.org")
        with pytest.raises(Conflict, match="sign in instead"):
            register(tx, "ADA@example.org")


@pytest.mark.parametrize("email", ["", "ada", "@example.org", "ada@", "a da@example.org"])
def test_what_is_no_address_is_refused(store: Store, email: str):
    """The text says what was expected."""
    with store.write() as tx, pytest.raises(BadInput, match="expected name@host"):
        register(tx, email)


@pytest.mark.parametrize(
    "password", ["short", "password123", "ada@example.org", "aaaaaaaaaaaa", "Adalovelace"]
)
def test_passwords_that_are_guessed_first_are_refused(password: str):
    """Too short, among the commonest, one letter, or made of the person's own words."""
    with pytest.raises(BadInput):
        accounts.check_password(password, email="ada@example.org", name="adalovelace")


def test_a_long_passphrase_is_accepted():
    """No rule of composition: length is what counts."""
    accounts.check_password("correct horse battery", email="ada@example.org", name="Ada")


def test_a_cookie_lives_until_it_is_signed_out(store: Store):
    """The token works, its digest does not, and signing out ends it on the server."""
    with store.write() as tx:
        caller = register(tx, "ada@example.org")
        assert caller.account_id is not None
        token = accounts.open_login(tx, caller.account_id, kind="cookie", name="b", now=1.0)
        assert caller == who(tx, cookie=token)
        for stolen in (accounts.digest(token), token + "x", ""):
            with pytest.raises(NotSignedIn):
                who(tx, cookie=stolen)
        accounts.sign_out(tx, token)
        with pytest.raises(NotSignedIn):
            who(tx, cookie=token)


def test_a_cookie_expires(store: Store):
    """After sixty days it is over."""
    with store.write() as tx:
        caller = register(tx, "ada@example.org")
        assert caller.account_id is not None
        token = accounts.open_login(
            tx, caller.account_id, kind="cookie", name="b", now=100.0 - 61 * 86_400
        )
        with pytest.raises(NotSignedIn):
            who(tx, cookie=token)


def test_a_token_for_programs_is_no_cookie(store: Store):
    """Neither kind passes for the other, and a dead token never falls back to the local learner."""
    with store.write() as tx:
        with pytest.raises(NotSignedIn):
            who(tx, bearer="made up")
        caller = register(tx, "ada@example.org")
        assert caller.account_id is not None
        token = accounts.open_login(tx, caller.account_id, kind="token", name="script", now=1.0)
        assert caller == who(tx, bearer=token)
        with pytest.raises(NotSignedIn):
            who(tx, cookie=token)


def test_the_right_password_is_recognised_and_a_wrong_one_is_not(store: Store):
    """Also for an address that nobody has."""
    with store.write() as tx:
        register(tx, "ada@example.org")
        account = accounts.find(tx, "Ada@Example.org ")
    assert (True, None) == accounts.verify(account, "correct horse battery")
    assert not accounts.verify(account, "correct horse")[0]
    assert not accounts.verify(None, "correct horse battery")[0]


def test_ten_wrong_guesses_close_the_address_for_a_quarter_of_an_hour(store: Store):
    """Counted in the database, so that neither a restart nor a second server forgets them."""
    with store.write() as tx:
        for second in range(10):
            accounts.check_guesses(tx, "ada@example.org", now=float(second))
            accounts.wrong_guess(tx, "ADA@example.org", now=float(second))
        with pytest.raises(TooMany) as refusal:
            accounts.check_guesses(tx, "ada@example.org", now=10.0)
        accounts.check_guesses(tx, "bob@example.org", now=10.0)
        accounts.check_guesses(tx, "ada@example.org", now=10.0 + refusal.value.retry_after_s)
