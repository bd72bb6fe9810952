"""Verified domains: the operator's word or the record's, one tenant each, one stays (B4; T-08, X-05, A-06)."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from guestauth import domains, tenants
from guestauth.database import db
from tests.servers import NameServer
from tests.steps import another, audited
from tests.world import BY, CONTOSO, FABRIKAM, World

SHOP = "shop.example"


def claim(world: World, name: str = SHOP, tenant: uuid.UUID = FABRIKAM) -> str:
    """Claim a domain; returns what its record must say."""

    def claimed() -> str:
        return domains.record(domains.claim(tenant, name, by=BY))

    return world.do(claimed)


def check(world: World, name: str = SHOP, tenant: uuid.UUID = FABRIKAM) -> None:
    world.do(domains.check, tenant, name, by=BY)


def names(world: World, tenant: uuid.UUID = FABRIKAM) -> list[tuple[str, bool]]:
    return [(each.name, each.verified_at is not None) for each in world.do(domains.of_tenant, tenant)]


def owner(world: World, name: str = SHOP) -> uuid.UUID | None:
    try:
        return world.do(tenants.find, name).id
    except tenants.TenantUnknown:
        return None


# By the operator.


def test_operator_adds_a_domain_at_once(world: World) -> None:
    assert world.do(domains.add, FABRIKAM, "Bücher.Example.", by=BY).name == "xn--bcher-kva.example"
    assert owner(world, "bücher.example") == FABRIKAM
    assert audited(world, "domain.verified") == [("success", "")]
    assert world.do(tenants.find, "fabrikam.example").domain == "fabrikam.example"


def test_domain_of_another_tenant_is_taken_and_nothing_is_kept(world: World) -> None:
    with pytest.raises(domains.DomainTaken):
        world.do(domains.add, FABRIKAM, "contoso.example", by=BY)
    assert (names(world), owner(world, "contoso.example")) == ([("fabrikam.example", True)], CONTOSO)


def test_own_domain_again_changes_nothing(world: World) -> None:
    world.do(domains.add, FABRIKAM, "FABRIKAM.example", by=BY)
    claim(world, "fabrikam.example")
    assert names(world) == [("fabrikam.example", True)]
    assert audited(world, "domain.verified") == audited(world, "domain.claimed") == []


@pytest.mark.parametrize("typed", ["", " ", "localhost", "no domain", "a..example", "x" * 300, "*.shop.example"])
def test_what_is_no_domain_is_refused(world: World, typed: str) -> None:
    for operation in (domains.add, domains.claim):
        with pytest.raises(domains.DomainRefused):
            world.do(operation, FABRIKAM, typed, by=BY)
    assert names(world) == [("fabrikam.example", True)]


# By its record.


def test_claimed_domain_leads_nowhere_until_its_record_is_found(world: World, dns: NameServer) -> None:
    record = claim(world)
    assert (owner(world), names(world)[1]) == (None, (SHOP, False))
    dns.texts[SHOP] = ["v=spf1 -all", record]
    check(world)
    assert owner(world) == FABRIKAM and dns.asked == [SHOP]
    assert (audited(world, "domain.claimed"), audited(world, "domain.verified")) == ([("success", "")],) * 2


def test_domain_that_is_verified_is_not_asked_for_again(world: World, dns: NameServer) -> None:
    check(world, "fabrikam.example")
    assert dns.asked == []


def test_claiming_twice_is_one_claim_with_the_same_record(world: World) -> None:
    assert claim(world) == claim(world, "SHOP.example.")
    assert len(names(world)) == 2
    assert len(audited(world, "domain.claimed")) == 1


def test_record_is_of_one_tenant_and_one_name(world: World, dns: NameServer) -> None:
    records = {claim(world), claim(world, tenant=CONTOSO), claim(world, "a.shop.example")}
    assert len(records) == 3 and all(each.startswith("guestauth-verification=") for each in records)
    dns.texts[SHOP] = [claim(world, tenant=CONTOSO), claim(world, "a.shop.example")]
    with pytest.raises(domains.NotProved, match="another value"):
        check(world)
    assert owner(world) is None


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (None, "no domain shop.example"),
        ([], "no TXT record yet"),
        (["v=spf1 -all"], "starts with guestauth-verification=. Found: “v=spf1 -all”"),
        (["guestauth-verification=abc", "x"], "another value. Found: “guestauth-verification=abc”$"),
        (["x\x07\u202ey" + "z" * 500], "Found: “x  yz{96}”$"),
    ],
)  # fmt: skip
def test_refusal_says_what_the_dns_says(
    world: World, dns: NameServer, texts: list[str] | None, words: str
) -> None:
    claim(world)
    dns.texts.update({SHOP: texts} if texts is not None else {})
    with pytest.raises(domains.NotProved, match=words):
        check(world)
    assert owner(world) is None


@pytest.mark.parametrize("elsewhere", ["a.shop.example", "example", "www.shop.example"])
@pytest.mark.case("A-06")
def test_record_on_another_name_proves_nothing(world: World, dns: NameServer, elsewhere: str) -> None:
    record = claim(world)
    dns.texts = {elsewhere: [record], SHOP: []}
    with pytest.raises(domains.NotProved):
        check(world)


@pytest.mark.case("A-06")
def test_record_behind_an_alias_proves_nothing(world: World, dns: NameServer) -> None:
    dns.texts, dns.aliases = {"elsewhere.example": [claim(world)]}, {SHOP: "elsewhere.example"}
    with pytest.raises(domains.NotProved, match="alias of elsewhere"):
        check(world)
    assert owner(world) is None


def test_dns_that_does_not_answer_is_said_so(
    world: World, dns: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "PATIENCE", 0.2)
    claim(world)
    dns.silent = True
    with pytest.raises(domains.NotProved, match="does not answer"):
        check(world)


@pytest.mark.case("X-06")
def test_dns_is_asked_in_no_transaction(world: World, dns: NameServer) -> None:
    dns.texts[SHOP], open_then = [claim(world)], []
    with world.app.app_context():
        pool = db.engine.pool
    dns.when_asked = lambda: open_then.append(pool.checkedout())
    check(world)
    assert open_then == [0]


def test_record_made_with_an_earlier_secret_still_counts(world: World, dns: NameServer) -> None:
    dns.texts[SHOP] = [claim(world)]
    secret = world.app.config["SECRET_KEY"]
    world.app.config.update(SECRET_KEY="0f4c1e7a9b2d8365c7f0a1b2e3d4f596", SECRET_KEY_FALLBACKS=[secret])
    assert claim(world) != dns.texts[SHOP][0]
    check(world)
    assert owner(world) == FABRIKAM


def test_domain_is_verified_by_one_tenant_only(world: World, dns: NameServer) -> None:
    dns.texts[SHOP] = [claim(world), claim(world, tenant=CONTOSO)]
    check(world)
    with pytest.raises(domains.DomainTaken):
        check(world, tenant=CONTOSO)
    assert (owner(world), names(world, CONTOSO)[1]) == (FABRIKAM, (SHOP, False))


@pytest.mark.both
@pytest.mark.case("X-05")
def test_of_two_tenants_at_once_one_gets_the_domain(world: World, dns: NameServer) -> None:
    dns.texts[SHOP] = [claim(world), claim(world, tenant=CONTOSO)]
    host, port = dns.address.split(":")
    other = another(world, DNS_SERVER=f"{host}:{port}")
    with ThreadPoolExecutor() as threads:
        done = [threads.submit(check, each, tenant=who) for each, who in ((world, FABRIKAM), (other, CONTOSO))]
    assert sorted(type(each.exception()).__name__ for each in done) == ["DomainTaken", "NoneType"]
    assert owner(world) in (FABRIKAM, CONTOSO)


def test_domain_of_another_tenant_is_unknown(world: World) -> None:
    for question in (domains.find, domains.check, domains.remove):
        with pytest.raises(domains.DomainUnknown):
            world.do(question, FABRIKAM, "contoso.example", **({} if question is domains.find else {"by": BY}))
    assert owner(world, "contoso.example") == CONTOSO


# Removing.


def test_removed_domain_leads_nowhere_and_another_one_is_shown(world: World) -> None:
    for name in ("z.example", "a.example"):
        world.do(domains.add, FABRIKAM, name, by=BY)
        world.advance(1)
    world.do(domains.remove, FABRIKAM, "fabrikam.example", by=BY)
    assert owner(world, "fabrikam.example") is None
    assert world.do(tenants.find, str(FABRIKAM)).domain == "z.example"
    assert audited(world, "domain.removed") == [("success", "")]


def test_last_verified_domain_stays_and_a_claim_goes(world: World) -> None:
    claim(world)
    with pytest.raises(domains.LastDomain):
        world.do(domains.remove, FABRIKAM, "fabrikam.example", by=BY)
    world.do(domains.remove, FABRIKAM, SHOP, by=BY)
    assert names(world) == [("fabrikam.example", True)]
    assert world.do(tenants.find, str(FABRIKAM)).domain == "fabrikam.example"
