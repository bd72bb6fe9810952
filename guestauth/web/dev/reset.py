"""Starting the demo afresh."""

from typing import Any

from flask import redirect, url_for

from guestauth import demo, faults
from guestauth.web.dev import blueprint
from guestauth.web.fields import Form, page


class ResetForm(Form):
    """The button that puts everything back."""


@blueprint.route("/reset", methods=["GET", "POST"])
def reset() -> Any:
    """Throw everything away and load the cast anew."""
    form = ResetForm()
    if form.validate_on_submit():
        faults.turn_all_off()  # else nothing could be written
        demo.reset()
        return redirect(url_for("dev.index"), 303)
    return page("dev/reset.html", form=form)
