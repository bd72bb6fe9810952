"""The pages a guest sees. One blueprint; one module for each thing a guest does."""

from flask import Blueprint

blueprint = Blueprint("guest", __name__)

from guestauth.web.guest import account, apps, consent, federation, invitation, signin
