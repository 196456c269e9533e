"""Sign-in by code, below the seam: what a page or a dialect relies on."""

from datetime import timedelta
from uuid import UUID

import pytest

from authsrv.identity.password_sign_in import MOST_TRIES as PASSWORD_TRIES
from authsrv.identity.password_sign_in import (
    MOST_WRONG_A_DAY,
    TooManyTries,
    accept_password,
    take_password_try,
)
from authsrv.identity.sign_in import (
    CODE_LASTS,
    MOST_TRIES,
    RESEND_PAUSE,
    CodeMail,
    MailLimit,
    NoTriesLeft,
    ResendTooSoon,
    SignInOver,
    SignIns,
    TooManyMails,
    WrongCode,
)
from authsrv.kit.secret_keys import SecretKeys
from authsrv.storage.email_codes import find_email_code
from authsrv.storage.stores import add_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import add_user, list_memberships
from tests.support.world import ManualClock

EMAIL = "casey@example.com"
OLD, NEW = "an old secret of at least thirty-two bytes", "a new secret of at least thirty-two bytes"


@pytest.fixture
def sign_ins() -> SignIns:
    return SignIns(SecretKeys([NEW]), MailLimit(5, timedelta(minutes=10)))


def wrong(mail: CodeMail) -> str:
    return f"{(int(mail.code) + 1) % 1_000_000:06}"


def test_nothing_in_the_row_is_the_code(unit: Unit, sign_ins: SignIns) -> None:
    mail = sign_ins.begin(unit, EMAIL)
    row = find_email_code(unit, mail.sign_in_id)
    assert row is not None
    assert mail.code not in str(row.model_dump())


def test_codes_are_spread_over_all_six_digits(unit: Unit) -> None:
    sign_ins = SignIns(SecretKeys([NEW]), None)
    codes = {sign_ins.begin(unit, f"{number}@example.com").code for number in range(200)}
    assert len(codes) > 190
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert any(code.startswith("0") for code in codes)


def test_a_code_made_by_the_secret_before_still_works(unit: Unit) -> None:
    mail = SignIns(SecretKeys([OLD]), None).begin(unit, EMAIL)
    assert SignIns(SecretKeys([NEW, OLD]), None).confirm(unit, mail.sign_in_id, mail.code).email == EMAIL


def test_the_right_code_of_another_sign_in_is_wrong(unit: Unit, sign_ins: SignIns) -> None:
    mine, theirs = sign_ins.begin(unit, EMAIL), sign_ins.begin(unit, "robin@example.com")
    assert mine.code != theirs.code
    with pytest.raises(WrongCode):
        sign_ins.confirm(unit, mine.sign_in_id, theirs.code)


def test_a_wrong_code_counts_even_though_it_is_refused(unit: Unit, sign_ins: SignIns) -> None:
    mail = sign_ins.begin(unit, EMAIL)
    left = []
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(WrongCode) as refused:
            sign_ins.confirm(unit, mail.sign_in_id, wrong(mail))
        assert refused.value.keeps_writes
        left.append(refused.value.tries_left)
    assert left == [4, 3, 2, 1]
    for code in (wrong(mail), mail.code):
        with pytest.raises(NoTriesLeft):
            sign_ins.confirm(unit, mail.sign_in_id, code)
    with pytest.raises(NoTriesLeft):
        sign_ins.resend(unit, mail.sign_in_id)


@pytest.mark.parametrize(
    ("purpose", "in_store"),
    [pytest.param("storefront", True, id="another purpose"), pytest.param("sign_in", False, id="another store")],
)
def test_a_code_is_bound_to_its_purpose_and_store(unit: Unit, sign_ins: SignIns, purpose: str, in_store: bool) -> None:  # noqa: FBT001
    store = add_store(unit, prefix="shop", name="A shop", currency="EUR")
    mail = sign_ins.begin(unit, EMAIL, store_id=store.id)
    with pytest.raises(SignInOver):
        sign_ins.confirm(unit, mail.sign_in_id, mail.code, purpose=purpose, store_id=store.id if in_store else None)
    assert sign_ins.confirm(unit, mail.sign_in_id, mail.code, store_id=store.id).email == EMAIL


def test_a_code_is_over_after_ten_minutes_to_the_second(unit: Unit, sign_ins: SignIns, clock: ManualClock) -> None:
    mail = sign_ins.begin(unit, EMAIL)
    clock.move(CODE_LASTS - timedelta(seconds=1))
    sign_ins.get(unit, mail.sign_in_id)
    clock.move(timedelta(seconds=1))
    with pytest.raises(SignInOver):
        sign_ins.confirm(unit, mail.sign_in_id, mail.code)


def test_a_resent_code_lives_as_long_as_a_first_one(unit: Unit, sign_ins: SignIns, clock: ManualClock) -> None:
    first = sign_ins.begin(unit, EMAIL)
    with pytest.raises(ResendTooSoon) as soon:
        sign_ins.resend(unit, first.sign_in_id)
    assert soon.value.wait_seconds == 30
    clock.move(RESEND_PAUSE)
    second = sign_ins.resend(unit, first.sign_in_id)
    clock.move(CODE_LASTS - timedelta(seconds=1))
    if first.code != second.code:
        with pytest.raises(WrongCode):
            sign_ins.confirm(unit, first.sign_in_id, first.code)
    assert sign_ins.confirm(unit, first.sign_in_id, second.code).email == EMAIL


def test_an_address_gets_five_mails_in_ten_minutes(unit: Unit, sign_ins: SignIns, clock: ManualClock) -> None:
    last = sign_ins.begin(unit, EMAIL)
    for _ in range(2):
        clock.move(RESEND_PAUSE)
        last = sign_ins.resend(unit, last.sign_in_id)
    for _ in range(2):
        clock.move(RESEND_PAUSE)
        last = sign_ins.begin(unit, EMAIL)
    clock.move(RESEND_PAUSE)
    with pytest.raises(TooManyMails) as refused:
        sign_ins.begin(unit, EMAIL)
    assert 0 < refused.value.wait_seconds <= 600
    with pytest.raises(TooManyMails):
        sign_ins.resend(unit, last.sign_in_id)
    sign_ins.begin(unit, "robin@example.com")
    clock.move(timedelta(seconds=refused.value.wait_seconds))
    sign_ins.begin(unit, EMAIL)


def test_a_sign_in_kept_alive_by_resends_goes_on_counting(unit: Unit, sign_ins: SignIns, clock: ManualClock) -> None:
    mail = sign_ins.begin(unit, EMAIL)
    sent = 1
    for _ in range(40):
        clock.move(timedelta(minutes=3))
        try:
            sign_ins.resend(unit, mail.sign_in_id)
            sent += 1
        except (TooManyMails, SignInOver):
            break
    assert sent == 5


def test_a_mail_that_could_not_be_sent_counts_for_nothing(unit: Unit, sign_ins: SignIns) -> None:
    for _ in range(20):
        sign_ins.drop(unit, sign_ins.begin(unit, EMAIL).sign_in_id)
    mail = sign_ins.begin(unit, EMAIL)
    assert sign_ins.confirm(unit, mail.sign_in_id, mail.code).email == EMAIL


def test_only_who_is_new_joins_the_store_unless_it_was_named(unit: Unit, sign_ins: SignIns) -> None:
    store = add_store(unit, prefix="shop", name="A shop", currency="EUR")
    known = add_user(unit, email=EMAIL)
    for joins_known, joined in ((False, 0), (True, 1), (True, 1)):
        mail = sign_ins.begin(unit, EMAIL, store_id=store.id)
        sign_ins.confirm(unit, mail.sign_in_id, mail.code, store_id=store.id, joins_known=joins_known)
        assert len(list_memberships(unit, known.id)) == joined
    mail = sign_ins.begin(unit, "new@example.com", store_id=store.id, first_name="Nell", last_name="New")
    user = sign_ins.confirm(unit, mail.sign_in_id, mail.code, store_id=store.id, joins_known=False)
    assert user.name == "Nell New"
    assert roles(unit, user.id) == ["customer"]


def roles(unit: Unit, user_id: UUID) -> list[str]:
    return [membership.role for membership in list_memberships(unit, user_id)]


def test_after_a_hundred_wrong_codes_an_address_gets_none_until_a_day_has_passed(
    unit: Unit, clock: ManualClock
) -> None:
    """NIST SP 800-63B, 5.2.2: a new sign-in brings new tries, but not without end."""
    sign_ins = SignIns(SecretKeys([NEW]), None)
    for _ in range(20):
        mail = sign_ins.begin(unit, EMAIL)
        for _ in range(MOST_TRIES):
            with pytest.raises((WrongCode, NoTriesLeft)):
                sign_ins.confirm(unit, mail.sign_in_id, wrong(mail))
    with pytest.raises(TooManyMails) as refused:
        sign_ins.begin(unit, EMAIL)
    assert refused.value.wait_seconds == 86_400
    assert sign_ins.begin(unit, "somebody@example.com").code
    clock.move(timedelta(seconds=refused.value.wait_seconds - 1))
    with pytest.raises(TooManyMails):
        sign_ins.begin(unit, EMAIL)
    clock.move(timedelta(seconds=2))
    assert sign_ins.begin(unit, EMAIL).code


def test_a_hundred_wrong_passwords_are_a_days_worth_and_keep_nobody_from_their_codes(
    unit: Unit, clock: ManualClock
) -> None:
    """Guessing there needs no mail and leaves no trace that the person could see."""
    for _ in range(MOST_WRONG_A_DAY // PASSWORD_TRIES):
        for _ in range(PASSWORD_TRIES):
            take_password_try(unit, EMAIL)
        with pytest.raises(TooManyTries):
            take_password_try(unit, EMAIL)
        clock.move(timedelta(minutes=10, seconds=1))
    with pytest.raises(TooManyTries) as refused:
        take_password_try(unit, EMAIL)
    # The first of them counts for a day from when it was made.
    so_far = MOST_WRONG_A_DAY // PASSWORD_TRIES * timedelta(minutes=10, seconds=1)
    assert refused.value.wait_seconds == (timedelta(days=1) - so_far).total_seconds()
    assert take_password_try(unit, "somebody@example.com").user_id is None
    assert SignIns(SecretKeys([NEW]), None).begin(unit, EMAIL).code
    clock.move(timedelta(seconds=refused.value.wait_seconds + 1))
    assert take_password_try(unit, EMAIL).user_id is None


def test_right_passwords_do_not_count_as_wrong_ones(unit: Unit) -> None:
    user = add_user(unit, email=EMAIL)
    user.password_hash = "a hash"
    for _ in range(MOST_WRONG_A_DAY + 1):
        tried = take_password_try(unit, EMAIL)
        assert accept_password(unit, tried, rehashed=None, store_id=None).id == user.id


def test_who_has_no_more_tries_at_a_password_has_them_at_a_code(unit: Unit) -> None:
    for _ in range(PASSWORD_TRIES):
        take_password_try(unit, EMAIL)
    assert SignIns(SecretKeys([NEW]), None).begin(unit, EMAIL).code


def test_right_codes_do_not_count_as_wrong_ones(unit: Unit) -> None:
    sign_ins = SignIns(SecretKeys([NEW]), None)
    for _ in range(101):
        mail = sign_ins.begin(unit, EMAIL)
        sign_ins.confirm(unit, mail.sign_in_id, mail.code)
    assert sign_ins.begin(unit, EMAIL).code
