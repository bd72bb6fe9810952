"""The outbox: in the transaction, leased, retried, dropped, each letter once (B26, B36, B37, F-03, F-04, F-13)."""

import re
import threading
import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from guestauth import courier, database, guests, invitations, mail_health, outbox, tenants
from guestauth.database import operation, query
from guestauth.models import Letter
from tests import servers
from tests.servers import Sink
from tests.steps import another, ask, ask_again, audited, enter, is_in, mailing
from tests.world import ADMIN, ALEX, BY, FABRIKAM, NICOLE, STRANGER, World

HOUR = 3600
GUESTS = [f"guest{number}@example.com" for number in range(8)]


@pytest.fixture
def mail(world: World, sink: Sink) -> World:
    """A world whose letters really leave, with nothing waiting."""
    world.deliver()
    return mailing(world, sink, MAIL_TIMEOUT="1")


@pytest.fixture
def sqlite_mail(sqlite_world: World, sink: Sink) -> World:
    """The same on SQLite only, where it is about the mail server."""
    sqlite_world.deliver()
    return mailing(sqlite_world, sink, MAIL_TIMEOUT="1")


def letters(world: World) -> list[Letter]:
    """Return the letters that are not of the cast, oldest first."""
    found = world.do(query(lambda: database.db.session.query(Letter).order_by(Letter.posted_at).all()))
    return list(found[1:])


def letter(world: World) -> Letter:
    (found,) = letters(world)
    return found


def until(world: World, moment: datetime, *, past: float = 0.01) -> None:
    """Move the clock to a moment."""
    world.advance((moment - world.do(database.now)).total_seconds() + past)


def code(arrived: servers.Letter) -> str:
    text = arrived.message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    found = re.search("^[0-9]{8}$", text, re.MULTILINE)
    assert found
    return found[0]


def recipients(sink: Sink) -> list[str]:
    return sorted(each.recipients[0] for each in sink.letters)


def invite_all(world: World) -> None:
    for guest in GUESTS:
        world.do(invitations.invite, FABRIKAM, guest, by=BY)


# Posting.


def test_letter_waits_in_the_transaction_of_what_it_tells_of(world: World) -> None:
    world.deliver()

    @operation
    def failing() -> None:
        outbox.post("passcode", tenant_id=FABRIKAM, user_id=None, subject_id=uuid.uuid4(), by=BY)
        raise ValueError

    with pytest.raises(ValueError):
        world.do(failing)
    assert letters(world) == []


def test_posting_touches_no_mail_server(sqlite_mail: World, sink: Sink) -> None:
    sink.stop()
    ask(sqlite_mail)
    sqlite_mail.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    assert len(letters(sqlite_mail)) == 2
    assert sink.connections == 0


def test_letter_is_kept_as_what_it_is_about_and_never_as_what_it_says(mail: World, sink: Sink) -> None:
    ask(mail)
    waiting = letter(mail)
    mail.deliver()
    (arrived,) = sink.wait_for(1)
    for kept in (waiting, letter(mail)):
        assert code(arrived) not in str(vars(kept))
    assert set(waiting.facts) == {"browser", "lang", "address"}


# Leaving.


def test_letter_leaves_once_and_is_marked_and_audited(mail: World, sink: Sink) -> None:
    ask(mail)
    assert (mail.deliver(), mail.deliver()) == (1, 0)
    assert recipients(sink) == [NICOLE]
    assert (letter(mail).outcome, letter(mail).reason, letter(mail).tries) == ("sent", None, 1)
    assert audited(mail, "passcode.mailed") == [("success", "")]


def test_code_that_arrived_works(mail: World, sink: Sink) -> None:
    started = ask(mail)
    mail.deliver()
    assert is_in(mail, enter(mail, started, code(sink.wait_for(1)[0])))


def test_letter_carries_the_time_it_was_asked_for_and_an_id_of_its_own(sqlite_mail: World, sink: Sink) -> None:
    ask(sqlite_mail)
    sqlite_mail.advance(120)
    sqlite_mail.deliver()
    (arrived,) = sink.wait_for(1)
    assert arrived.message["Message-ID"] == f"<{letter(sqlite_mail).id}@guestauth.example>"
    assert arrived.message["Date"].datetime == letter(sqlite_mail).posted_at.replace(microsecond=0)


def test_strangers_letter_never_reaches_the_mail_server(sqlite_mail: World, sink: Sink) -> None:
    ask(sqlite_mail, STRANGER)
    sqlite_mail.deliver()
    assert (sink.connections, letter(sqlite_mail).outcome, letter(sqlite_mail).reason) == (
        0,
        "dropped",
        "not a guest",
    )


@pytest.mark.parametrize(
    "name", ["Contoso, Inc.", "ceo@victim.com", "A\r\nBcc: eve@evil.example", "🎉", "計" * 200]
)
def test_tenants_name_is_a_name_only_wherever_it_stands(sqlite_world: World, sink: Sink, name: str) -> None:
    sqlite_world.deliver()
    mail = mailing(sqlite_world, sink)
    made = mail.do(tenants.create, name, domains=["tailspin.example"], by=BY)
    mail.do(invitations.invite, made.id, STRANGER, by=BY)
    ask(mail, STRANGER, tenant=made.id)
    mail.deliver()
    for arrived in sink.wait_for(2):
        assert [each.addr_spec for each in arrived.message["From"].addresses] == ["no-reply@guestauth.example"]
        assert (arrived.recipients, arrived.message["Bcc"]) == ([STRANGER], None)
        assert str(arrived.message["Subject"]).isprintable()
    subjects = [str(each.message["Subject"]) for each in sink.letters]
    assert any(re.search(r"\(reference [2-9A-Z]{4}\)$", subject) for subject in subjects)


# Trying again.


def test_letter_that_was_lost_after_data_goes_again_with_the_same_id_and_code(mail: World, sink: Sink) -> None:
    ask(mail)
    sink.drop()
    mail.deliver()
    sink.accept()
    until(mail, letter(mail).due_at)
    mail.deliver()
    (lost,), (arrived,) = sink.dropped, sink.wait_for(1)
    for header in ("Message-ID", "Date", "Subject", "From", "To"):
        assert lost.message[header] == arrived.message[header]
    assert code(lost) == code(arrived)


@pytest.mark.parametrize("trouble", ["greylist", "unavailable", "hang", "stop"])
def test_trouble_for_now_delays_a_letter_and_loses_none(sqlite_mail: World, sink: Sink, trouble: str) -> None:
    ask(sqlite_mail)
    {"greylist": lambda: sink.greylist(1)}.get(trouble, getattr(sink, trouble))()
    sqlite_mail.deliver()
    assert (letter(sqlite_mail).done_at, letter(sqlite_mail).tries, bool(letter(sqlite_mail).reason)) == (
        None,
        1,
        True,
    )
    assert sqlite_mail.deliver() == 0
    (sink.start if trouble == "stop" else sink.accept)()
    until(sqlite_mail, letter(sqlite_mail).due_at)
    sqlite_mail.deliver()
    assert (recipients(sink), letter(sqlite_mail).outcome) == ([NICOLE], "sent")


@pytest.mark.case("F-04")
def test_pauses_grow_to_five_minutes_with_some_jitter(sqlite_mail: World, sink: Sink) -> None:
    sqlite_mail.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    sink.stop()
    for wanted in (5, 15, 45, 120, 300, 300, 300):
        before = sqlite_mail.do(database.now)
        sqlite_mail.deliver()
        pause = (letter(sqlite_mail).due_at - before).total_seconds()
        assert wanted * 0.8 <= pause <= wanted * 1.2 + 5  # the answer of the sqlite_mail server takes a moment
        until(sqlite_mail, letter(sqlite_mail).due_at)


def test_refusal_for_good_ends_it_and_is_audited(sqlite_mail: World, sink: Sink) -> None:
    ask(sqlite_mail)
    sink.refuse()
    sqlite_mail.deliver()
    sink.accept()
    sqlite_mail.advance(600)
    assert sqlite_mail.deliver() == 0
    assert (letter(sqlite_mail).outcome, letter(sqlite_mail).reason) == ("failed", "550 5.1.1 No such person here")
    assert audited(sqlite_mail, "passcode.dropped") == [("refused", "550 5.1.1 No such person here")]


def test_letter_nobody_takes_for_three_days_has_failed(sqlite_mail: World, sink: Sink) -> None:
    sqlite_mail.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    sink.stop()
    sqlite_mail.advance(3 * 24 * HOUR - 60)
    sqlite_mail.deliver()
    assert letter(sqlite_mail).outcome is None
    sqlite_mail.advance(600)
    sqlite_mail.deliver()
    assert letter(sqlite_mail).outcome == "failed"


def test_letter_that_cannot_be_written_waits_and_stops_no_other(sqlite_mail: World, sink: Sink) -> None:
    nonsense = {"kind": "nonsense", "tenant_id": FABRIKAM, "subject_id": uuid.uuid4()}

    @operation
    def post() -> None:
        user = guests.find(FABRIKAM, NICOLE)
        outbox.post(**nonsense, user_id=user.id, by=BY)

    sqlite_mail.do(post)
    ask(sqlite_mail, ALEX)
    sqlite_mail.deliver()
    assert recipients(sink) == [ALEX]
    assert [each.outcome for each in letters(sqlite_mail)] == [None, "sent"]


# What may not go any more.


def test_code_that_could_only_arrive_dead_is_dropped_and_the_invitation_goes(
    sqlite_mail: World, sink: Sink
) -> None:
    sink.stop()
    ask(sqlite_mail)
    sqlite_mail.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    sqlite_mail.deliver()
    sqlite_mail.advance(29 * 60 + 1)
    sink.start()
    sqlite_mail.deliver()
    assert recipients(sink) == [STRANGER]
    assert audited(sqlite_mail, "passcode.dropped") == [("refused", "the code would arrive dead")]


def test_guest_who_lost_access_while_the_server_was_down_gets_nothing(sqlite_mail: World, sink: Sink) -> None:
    sink.stop()
    ask(sqlite_mail)
    sqlite_mail.deliver()
    sqlite_mail.do(guests.block, FABRIKAM, NICOLE, by=BY)
    sink.start()
    sqlite_mail.advance(60)
    sqlite_mail.deliver()
    assert (sink.letters, letter(sqlite_mail).reason) == ([], "the guest may not sign in")


# Outage.


def test_each_letter_that_waited_arrives_exactly_once_when_the_server_is_back(mail: World, sink: Sink) -> None:
    sink.stop()
    invite_all(mail)
    started = ask(mail)
    mail.deliver()
    assert [each.outcome for each in letters(mail)] == [None] * 9
    sink.start()
    mail.advance(30)
    mail.deliver()
    assert recipients(sink) == sorted([*GUESTS, NICOLE])
    (arrived,) = [each for each in sink.letters if each.recipients == [NICOLE]]
    assert is_in(mail, enter(mail, started, code(arrived)))


@pytest.mark.both
@pytest.mark.case("F-13")
def test_three_deliverers_at_once_send_each_letter_once(mail: World, sink: Sink) -> None:
    invite_all(mail)
    processes = [mailing(mail, sink) for _ in range(3)]
    threads = [threading.Thread(target=each.deliver) for each in processes]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert recipients(sink) == sorted(GUESTS)
    assert len(audited(mail, "invitation.mailed")) == 1 + len(GUESTS)


# Leases.


def test_code_leaves_before_invitations_that_have_waited_longer(world: World) -> None:
    world.deliver()
    invite_all(world)
    world.advance(1)
    ask(world, NICOLE)
    (first,) = world.do(outbox.lease, 1)
    assert first.kind == "passcode"


@database.operation
def flood(many: int) -> None:
    """Let many invitations wait, past their limits."""
    moment = database.now()
    one = {"kind": "invitation", "tenant_id": FABRIKAM, "facts": {}, "posted_at": moment, "due_at": moment}
    rows = [{**one, "id": uuid.uuid4(), "subject_id": uuid.uuid4(), "correlation_id": ""} for _ in range(many)]
    database.db.session.execute(insert(Letter), rows)


def test_code_leaves_before_more_invitations_than_are_looked_at(world: World) -> None:
    world.do(flood, outbox.RANKED + 1)
    world.advance(1)
    ask(world, NICOLE)
    (first,) = world.do(outbox.lease, 1)
    assert first.kind == "passcode"


@pytest.mark.case("F-13")
def test_leased_letter_is_nobody_elses_until_the_lease_runs_out(mail: World, sink: Sink) -> None:
    ask(mail)
    assert [each.id for each in mail.do(outbox.lease, 5)] == [letter(mail).id]
    assert (mail.do(outbox.lease, 5), mail.deliver()) == ([], 0)
    until(mail, letter(mail).due_at, past=-5)
    assert mail.do(outbox.lease, 5) == []
    until(mail, letter(mail).due_at)
    assert mail.deliver() == 1
    assert recipients(sink) == [NICOLE]


def test_lease_lasts_longer_than_the_mail_server_can_take(sqlite_mail: World) -> None:
    slow = another(sqlite_mail, MAIL_SERVER="localhost", MAIL_TIMEOUT="120")
    ask(slow)
    before = slow.do(database.now)
    slow.do(outbox.lease, 1)
    assert letter(slow).due_at - before > timedelta(seconds=10 * 120)


def test_deliverer_whose_lease_ran_out_changes_nothing_any_more(mail: World) -> None:
    ask(mail)
    mail.do(outbox.lease, 1)
    late = letter(mail)
    until(mail, late.due_at)
    mail.do(outbox.lease, 1)
    taken = letter(mail)
    mail.do(outbox._mark, late, "failed", "late")
    mail.do(outbox._postpone, late, "late")
    assert (letter(mail).outcome, letter(mail).due_at, letter(mail).lease) == (None, taken.due_at, taken.lease)
    assert audited(mail, "passcode.dropped") == []


def test_no_more_letters_are_leased_than_asked_for_the_oldest_first(mail: World) -> None:
    for guest in GUESTS[:3]:
        mail.do(invitations.invite, FABRIKAM, guest, by=BY)
        mail.advance(1)
    oldest = [each.id for each in letters(mail)][:2]
    assert sorted(each.id for each in mail.do(outbox.lease, 2)) == sorted(oldest)
    assert len(mail.do(outbox.lease, 2)) == 1


@pytest.mark.case("X-06")
def test_delivery_holds_no_transaction_while_it_waits_for_the_server(mail: World, sink: Sink) -> None:
    mail.app.config["MAIL_TIMEOUT"] = 30  # longer than what goes on meanwhile
    ask(mail)
    sink.hang()
    thread = threading.Thread(target=mail.deliver)
    thread.start()
    sink.wait_until(lambda sink: sink.connections == 1)
    world_goes_on = ask(another(mail), ALEX, browser="another")
    assert world_goes_on.id
    sink.release()
    thread.join()
    assert len(sink.letters) >= 1


# Status.


def test_status_counts_what_waits_left_was_dropped_and_failed(mail: World, sink: Sink) -> None:
    for address in (NICOLE, STRANGER, ALEX):
        ask(mail, address)
    mail.deliver()
    ask(mail, ADMIN)
    sink.stop()
    mail.deliver()
    status = mail.do(outbox.status)
    assert [status[name] for name in ("waiting", "sent", "dropped", "failed")] == [1, 3, 1, 0]
    assert status["oldestWaiting"] == letters(mail)[-1].posted_at
    assert "refused" in status["lastReason"]


def test_status_of_an_empty_outbox_has_nothing_to_tell(world: World) -> None:
    world.deliver()
    status = world.do(outbox.status)
    assert (status["waiting"], status["oldestWaiting"], status["lastReason"]) == (0, None, None)
    assert (status["failingSince"], status["delayed"]) == (None, False)


def test_next_letter_is_due_at_once_later_or_never(mail: World, sink: Sink) -> None:
    assert mail.do(outbox.next_due) is None
    ask(mail)
    assert mail.do(outbox.next_due) == timedelta()
    sink.stop()
    mail.deliver()
    assert timedelta(seconds=1) < mail.do(outbox.next_due) < timedelta(seconds=7)


# Delay as a whole (B37).


def test_no_letters_fate_makes_mail_delayed(sqlite_mail: World, sink: Sink) -> None:
    courier.check_health(sqlite_mail.app)
    for trouble in (sink.stop, sink.start, sink.refuse, lambda: sink.greylist(9)):
        trouble()
        ask(sqlite_mail, browser=uuid.uuid4().hex)
        sqlite_mail.deliver()
        assert not sqlite_mail.do(mail_health.is_delayed)


def test_mail_is_delayed_while_the_server_does_not_answer(sqlite_mail: World, sink: Sink) -> None:
    verdicts = []
    for change in (lambda: None, sink.stop, sink.start):
        change()
        courier.check_health(sqlite_mail.app)
        verdicts.append(sqlite_mail.do(mail_health.is_delayed))
        sqlite_mail.advance(31)
    assert verdicts == [False, True, False]


def test_begin_of_a_failure_stays_while_it_lasts(sqlite_mail: World, sink: Sink) -> None:
    sink.stop()
    since = []
    for _ in range(2):
        courier.check_health(sqlite_mail.app)
        since.append(sqlite_mail.do(outbox.status)["failingSince"])
        sqlite_mail.advance(31)
    assert since[0] == since[1] is not None


def test_mail_is_delayed_when_nobody_asks_the_server_any_more(mail: World) -> None:
    courier.check_health(mail.app)
    mail.advance(170)
    assert not mail.do(mail_health.is_delayed)
    mail.advance(11)
    assert mail.do(mail_health.is_delayed)


def test_nobody_has_asked_yet_is_no_delay(world: World) -> None:
    assert not world.do(mail_health.is_delayed)


def test_server_is_asked_by_one_process_at_a_time_and_not_too_often(mail: World, sink: Sink) -> None:
    other = mailing(mail, sink)
    for _ in range(3):
        courier.check_health(mail.app)
        courier.check_health(other.app)
    assert sink.connections == 1
    mail.advance(31)
    courier.check_health(other.app)
    assert sink.connections == 2


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_server_is_asked_anew_when_the_clock_has_jumped(sqlite_mail: World, sink: Sink, jump: int) -> None:
    courier.check_health(sqlite_mail.app)
    sqlite_mail.advance(jump)
    courier.check_health(sqlite_mail.app)
    assert (sink.connections, sqlite_mail.do(mail_health.is_delayed)) == (2, False)


# What pages say and do meanwhile.


@pytest.mark.parametrize("trouble", ["stop", "refuse", "hang", "unavailable"])
def test_pages_answer_as_usual_whatever_the_mail_server_does(
    sqlite_world: World, sink: Sink, trouble: str
) -> None:
    mail = mailing(sqlite_world, sink)
    getattr(sink, trouble)()
    browser = mail.browser().open("/fabrikam.example").submit("email-form", email=NICOLE).submit("send-code")
    assert (browser.status, browser.h1) == (200, "Check your email")
    assert sink.connections == 0


def test_both_codes_of_a_sign_in_arrive_after_an_outage_and_each_works(sqlite_mail: World, sink: Sink) -> None:
    started = ask(sqlite_mail)
    sink.stop()
    sqlite_mail.deliver()
    sqlite_mail.advance(60)
    ask_again(sqlite_mail, started)
    sink.start()
    sqlite_mail.deliver()
    codes = {code(each) for each in sink.wait_for(2)}
    assert len(codes) == 2
    assert is_in(sqlite_mail, enter(sqlite_mail, started, codes.pop()))


def test_every_kind_of_letter_has_its_preparer() -> None:
    assert set(outbox._preparers) == {"passcode", "invitation", "warning"}
