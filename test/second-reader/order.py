"""Seeds, orders, certificates and roots, as docs/design/ledger.md has them ([L10], [L12], [L19])."""

import canonical
from blake3 import blake3_derive_key

ARITY = 32


def seed_of(base, votes):
    return blake3_derive_key("gdo v1 seed", b"".join([base, *votes]))


def ordered(placed, seed):
    """Ids of (id, clock) in the order of a merge."""
    return [id_ for id_, _ in sorted(placed, key=lambda each: (each[1], blake3_derive_key("gdo v1 order", seed + each[0])))]


def included_root(ids):
    level = sorted(ids)
    while len(level) > 1:
        groups = [level[at:at + ARITY] for at in range(0, len(level), ARITY)]
        level = [blake3_derive_key("gdo v1 included node", b"".join(group)) for group in groups]
    return blake3_derive_key("gdo v1 included", canonical.encode([len(ids), level[0] if level else None]))


def state_root(state):
    leaves = [
        (_path(key), blake3_derive_key("gdo v1 state leaf", canonical.encode([key, value])))
        for key, value in state.items()
    ]
    return _subtree(leaves, 0)


def _path(key):
    """The digits of a key's path, as one number of 256 bits."""
    return int.from_bytes(blake3_derive_key("gdo v1 state path", key.encode()), "big")


def _digit(path, depth):
    """Bits 5 depth to 5 depth + 4 from the highest on; beyond the end they are 0."""
    return (path << 4) >> (260 - 5 * (depth + 1)) & 31


def _subtree(leaves, depth):
    if len(leaves) == 1:
        return leaves[0][1]
    groups = {}
    for leaf in leaves:
        groups.setdefault(_digit(leaf[0], depth), []).append(leaf)
    present = sum(1 << digit for digit in groups)
    below = [_subtree(groups[digit], depth + 1) for digit in sorted(groups)]
    return blake3_derive_key("gdo v1 state node", present.to_bytes(4, "big") + b"".join(below))


def certificate(commits, principals, quorum):
    """Of (id, principal, round): the earliest round with a quorum, the least vote of each, and of these the least."""
    rounds = {}
    for id_, principal, round_ in commits:
        if principal in principals:
            voters = rounds.setdefault(round_, {})
            voters[principal] = min(id_, voters.get(principal, id_))
    for round_ in sorted(rounds):
        if len(rounds[round_]) >= quorum:
            return {"r": round_, "votes": sorted(rounds[round_].values())[:quorum]}
    return None
