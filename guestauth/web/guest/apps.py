"""What is shared with a guest: the list, each resource, and its file (B1, B2).

What it does: shows a signed-in guest what is theirs; everybody else goes to sign-in and comes back here.

The one thing to understand: a resource that is not shared with the guest does not exist for them.
"""

from io import BytesIO
from typing import Any

from flask import Response, redirect, request, send_file, url_for

from guestauth import invitations, resources, shares
from guestauth.web import gate
from guestauth.web.fields import page
from guestauth.web.guest import blueprint

SEALED = "sandbox; default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


@blueprint.get("/")
@blueprint.get("/<tenant:tenant>")
def apps() -> Any:
    """List what is shared with the guest."""
    user = gate.signed_in()
    search = request.args.get("q", "")[:200]
    found = resources.of_user(user, search=search)
    invitation = None if found or search else invitations.of_guest(user.id)
    inviter = invitation.inviter if invitation else None
    session = gate.tenant_arrival().session
    return page("guest/apps.html", resources=found, q=search, inviter=inviter, session=session)


@blueprint.get("/<tenant:tenant>/apps")
def apps_again() -> Any:
    """Lead to the list: people shorten addresses by hand."""
    return redirect(url_for("guest.apps"))


@blueprint.get("/<tenant:tenant>/apps/<slug>")
def resource(slug: str) -> Any:
    """Show one resource."""
    return _opened(slug)


@blueprint.get("/signin/<name>/<resource_id>")
def direct_resource(name: str, resource_id: str) -> Any:
    """Show one resource by the direct link of B2; the name in it is for people only."""
    return _opened(resource_id)


@blueprint.get("/<tenant:tenant>/apps/<slug>/download")
def download(slug: str) -> Response:
    """Hand out a file: as a download, never to be run in the page (nosniff and a sandbox besides)."""
    user = gate.signed_in()
    found = resources.find(user, slug)
    if found.kind != "file":
        raise resources.ResourceUnknown(slug)
    if request.method == "GET":
        shares.downloaded(found, user, by=gate.caller())
    answer = send_file(
        BytesIO(resources.content(found)),
        mimetype=found.media_type,
        as_attachment=True,
        download_name=found.file_name,
        conditional=False,
        etag=False,
    )
    answer.headers["Content-Security-Policy"] = SEALED
    return answer


def _opened(name: str) -> Any:
    """Show a resource, and write down that it was opened: not for HEAD, which nobody reads."""
    user = gate.signed_in()
    found = resources.find(user, name)
    if request.method == "GET":
        shares.opened(found, user, by=gate.caller())
    return page("guest/resource.html", resource=found)
