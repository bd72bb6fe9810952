"""The B2BManagementPolicy: the JSON definition that turns guests' one-time passcodes on and off (B10, B14).

What it does: `allows_passcodes` reads a definition; `with_passcodes` and `without_passcodes` change its one
list entry; `turn_passcodes` does it to a tenant.

The one thing to understand: the definition *is* the setting. `Tenant.passcodes_on` repeats what it says,
so that a database statement can ask, and is written together with it only.

What must stay true: siblings, unknown keys and their order survive; removing leaves `"Features":[]`.

Called by tenants' creation, the console and the command line.
"""

import json
import uuid
from typing import Any

from guestauth import audit, sessions
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation
from guestauth.models import Tenant

FEATURE = "OneTimePasscode"
WITH_PASSCODES = '{"B2BManagementPolicy":{"PreviewPolicy":{"Features":["OneTimePasscode"]}}}'


class NotAPolicy(Refusal):
    """The text is not a B2BManagementPolicy definition; the text says why."""


def allows_passcodes(definition: str) -> bool:
    """Whether the definition's features contain `OneTimePasscode`.

    :raises NotAPolicy: if it is not such a definition.
    """
    return FEATURE in _features(_parsed(definition))


def turned(definition: str, *, on: bool) -> str:
    """Return the definition with `OneTimePasscode` in its features, or without; all else as it was."""
    policy = _parsed(definition)
    features = [feature for feature in _features(policy) if feature != FEATURE]
    if on:
        features = _features(policy) if FEATURE in _features(policy) else [*features, FEATURE]
    policy["B2BManagementPolicy"].setdefault("PreviewPolicy", {})["Features"] = features
    return json.dumps(policy, ensure_ascii=False, separators=(",", ":"))


@operation
def turn_passcodes(tenant_id: uuid.UUID, *, on: bool, by: Caller) -> None:
    """Turn guests' passcodes on or off for a tenant, with the next request (B12, B15)."""
    tenant = db.session.get_one(Tenant, tenant_id, with_for_update=True)
    if tenant.passcodes_on == on:
        return
    definition = turned(tenant.policy, on=on)
    tenant.policy, tenant.passcodes_on = definition, on
    if not on:
        tenant.codes_void_at = now()
        db.session.flush()
        sessions.end_passcode_guests(tenant_id)
    audit.record("policy.changed", by=by, tenant_id=tenant_id, definition=definition)


def _parsed(definition: str) -> dict[str, Any]:
    try:
        policy = json.loads(definition)
    except (ValueError, RecursionError) as fault:
        raise NotAPolicy(f"This is not JSON: {fault}") from fault
    if not isinstance(policy, dict) or not isinstance(policy.get("B2BManagementPolicy"), dict):
        raise NotAPolicy("The definition needs an object named B2BManagementPolicy")
    if not isinstance(policy["B2BManagementPolicy"].get("PreviewPolicy", {}), dict):
        raise NotAPolicy("PreviewPolicy is not an object")
    return policy


def _features(policy: dict[str, Any]) -> list[str]:
    features = policy["B2BManagementPolicy"].get("PreviewPolicy", {}).get("Features", [])
    if not isinstance(features, list) or not all(isinstance(feature, str) for feature in features):
        raise NotAPolicy("Features is not a list of names")
    return features
