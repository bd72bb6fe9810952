"""The demo's start page: leads into each scenario."""

from typing import Any

from guestauth import demo, guests, invitations, tenants
from guestauth.database import Refusal
from guestauth.web import gate
from guestauth.web.dev import blueprint
from guestauth.web.fields import page

SCENARIOS: list[dict[str, Any]] = [
    {
        "title": "Nicole comes back by a direct link",
        "text": "nicole@firstup.example has accepted before. The link leads to one resource, and after "
        "sign-in she is exactly there.",
        "links": [("Expense portal", "/fabrikam.example/apps/expense-portal")],
    },
    {
        "title": "An administrator runs Fabrikam",
        "text": "admin@fabrikam.example signs in by a code like everybody. The console shows who is a guest "
        "and why they sign in as they do, invites one or many, and says what turning codes off would do.",
        "links": [
            (
                "Fabrikam's console",
                "/fabrikam.example/sign-in?login_hint=admin@fabrikam.example&to=/fabrikam.example/admin",
            )
        ],
    },
    {
        "title": "A stranger",
        "text": "Type any address that is no guest, like stranger@example.com: the pages are the same, "
        "but no mail comes.",
        "links": [("Sign in to Fabrikam", "/fabrikam.example/sign-in")],
    },
    {
        "title": "A link without an organisation",
        "text": "The page says what is missing and offers a field for it.",
        "links": [("Common endpoint", "/myapps")],
    },
    {
        "title": "Stranded by opting out",
        "text": "stranded@firstup.example used codes at Contoso until Contoso turned them off.",
        "links": [("Sign in to Contoso", "/contoso.example/sign-in?login_hint=stranded@firstup.example")],
    },
    {
        "title": "A guest signs in with Google",
        "text": "Woodgrove takes Google's word for Google addresses. jamie.wood@gmail.com signs in at a stand-in "
        "for Google, casey@firstup.example by a code, and so does riley.moore@gmail.com, who accepted before.",
        "links": [
            ("As Jamie", "/woodgrove.example/sign-in?login_hint=jamie.wood@gmail.com"),
            ("As Casey", "/woodgrove.example/sign-in?login_hint=casey@firstup.example"),
            ("As Riley", "/woodgrove.example/sign-in?login_hint=riley.moore@gmail.com"),
        ],
    },
    {
        "title": "A look of its own",
        "text": "Woodgrove has a logo and a colour. Its administrator, admin@woodgrove.example, changes them in "
        "the settings; whatever colour it is, everything can be read in light and in dark.",
        "links": [
            ("Sign in to Woodgrove", "/woodgrove.example/sign-in"),
            (
                "Logo and colour",
                "/woodgrove.example/sign-in?login_hint=admin@woodgrove.example"
                "&to=/woodgrove.example/admin/settings/branding",
            ),
        ],
    },
    {
        "title": "Time passes",
        "text": "A code works for 30 minutes, a sign-in lasts 24 hours. Move the clock and reload.",
        "links": [("Move the clock", "/dev/clock"), ("Start the demo afresh", "/dev/reset")],
    },
]


@blueprint.get("")
def index() -> Any:
    """Lead into each scenario."""
    cast = [_tenant_card(tenant) for tenant in tenants.everyone()]
    return page("dev/index.html", tenants=cast, scenarios=_scenarios(), tasks=None)


def _tenant_card(tenant: Any) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "name": tenant.name,
        "domain": tenant.domain,
        "note": "Codes are on for guests." if tenant.passcodes_on else "Codes are off for guests.",
        "links": [("By domain", f"/{tenant.domain}"), ("By id", f"/?tenantid={tenant.id}")],
    }


def _scenarios() -> list[dict[str, Any]]:
    alex = {
        "title": "Alex accepts an invitation",
        "text": "alexdoe@gmail.com is invited to Fabrikam. Open the invitation, press Continue, "
        "then Send code. The code is in the mailbox.",
        "links": [("Open Alex's invitation", _invitation_link()), ("Open the mailbox", "/dev/mailbox")],
    }
    return [alex, *SCENARIOS]


def _invitation_link() -> str:
    try:
        alex = guests.find(demo.FABRIKAM, "alexdoe@gmail.com")
        invitation = invitations.of_guest(alex.id)
        return invitations.link(invitation) if invitation else gate.home()
    except Refusal:
        return f"/{demo.CAST[demo.FABRIKAM][1]}/sign-in"
