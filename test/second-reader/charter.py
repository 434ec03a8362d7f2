"""The charter's state, and who merges a branch and votes on it by that state ([L10], [L16])."""


def initial_state(genesis):
    """Before any merge of the branch charter."""
    state = {"organisation": {"name": genesis["name"], "fault": genesis["fault"]}}
    state.update({f"role/{role}": {"rights": rights} for role, rights in genesis["roles"].items()})
    state.update({f"branch/{branch}": policy for branch, policy in genesis["branches"].items()})
    for principal in genesis["principals"]:
        id_, keys = principal["id"], [key.hex() for key in principal["devices"]]
        recovery = None if principal["recovery"] is None else principal["recovery"].hex()
        state[f"principal/{id_}"] = {"roles": principal["roles"], "recovery": recovery}
        if len(keys) > 1:
            state[f"decider/{id_}"] = keys[0]
        for at, key in enumerate(keys):
            state[f"device/{key}"] = {"principal": id_, "name": id_ if at == 0 else f"{id_}-{at + 1}"}
    return state


def devices_of(state, principal):
    """Keys that are not revoked, ascending."""
    rows = ((key[len("device/"):], device) for key, device in state.items() if key.startswith("device/"))
    return sorted(key for key, device in rows if device["principal"] == principal and not device.get("revoked"))


def decider_of(state, principal):
    """[L10] The key of the one device that votes and merges for a principal."""
    keys = devices_of(state, principal)
    named = state.get(f"decider/{principal}")
    if named in keys:
        return named
    return keys[0] if keys else None


def principal_of(state, key):
    """Whose key it is; None for strangers and revoked devices."""
    device = state.get(f"device/{key.hex()}")
    return None if device is None or device.get("revoked") else device["principal"]


def decides_for(state, key):
    """[L10] For whom a device's votes count."""
    principal = principal_of(state, key)
    return principal if principal is not None and decider_of(state, principal) == key.hex() else None


def validators_of(state, branch):
    """(principals, q) of a branch in mode quorum or single; q is 0 where nobody votes."""
    policy = state[f"branch/{branch}"]
    if policy["mode"] == "single":
        return ([policy["validator"]] if devices_of(state, policy["validator"]) else []), 0
    roles = {key[len("principal/"):]: row["roles"] for key, row in state.items() if key.startswith("principal/")}
    names = sorted(id_ for id_, own in roles.items() if policy["validators"] in own and devices_of(state, id_))
    n = len(names)
    default = n // 2 + 1 if state["organisation"]["fault"] == "crash" else 2 * n // 3 + 1
    return names, default if policy["q"] is None else policy["q"]
