"""Branches as their merges make them: who may, what they take, what it leads to ([L10], [L12], [L16], [L19], [L20])."""

import blocks
import canonical
import charter
import order
from blake3 import blake3_derive_key


class Branch:
    """What is final on one branch."""

    def __init__(self, origin, began_at, state):
        self.origin, self.began_at = origin, began_at  # What it was forked at; the charter's height that made it.
        self.merges, self.members, self.positions = [], [], []  # By height less 1.
        self.voids, self.next, self.frozen = set(), {}, {}
        self.states = [state]  # By height.


class Ledger:
    """Blocks as they are taken in, and what merges have made final. `check(name, is_so)` hears what is compared."""

    def __init__(self, check):
        self.check = check
        self.held, self.log, self.charter, self.branches = {}, {}, None, {}

    def take(self, block):
        fields = block.fields
        parents = [self.held[parent] for parent in block.parents]  # Parents come first.
        clock = 1 + max([parent.fields["c"] for parent in parents], default=0)
        self.check("clocks [L4]", fields["c"] == clock)
        self.check("signatures [L3]", block.is_signed())
        if self.charter is None:
            self._begin(block)
        place = (fields["a"], fields["l"])
        before = None if fields["n"] == 0 else self.log[place][fields["n"] - 1]
        self.check("logs [L6]", fields["b"] == before and len(self.log.setdefault(place, [])) == fields["n"])
        self.log[place].append(block.id)
        self.held[block.id] = block

    def _begin(self, block):
        self.charter = block
        state = charter.initial_state(block.payload)
        for name in block.payload["branches"]:
            self.branches[name] = Branch(None, 0, {"charter": state} if name == "charter" else {})

    def charter_at(self, height):
        return self.branches["charter"].states[height]["charter"]

    def authors_known(self):
        """By the newest charter; revoked devices are known."""
        newest = self.charter_at(len(self.branches["charter"].merges))
        return all(f"device/{block.fields['a'].hex()}" in newest for block in self.held.values())

    def charter_for(self, name, h):
        """[L16] The charter's state by which height h of a branch is decided."""
        branch = self.branches[name]
        if name == "charter":
            return self.charter_at(h - 1)
        return self.charter_at(branch.began_at if h == 1 else branch.positions[h - 2])

    def certificate_of(self, name, h, merge):
        """[L10] By the votes that are held; None where nobody votes."""
        state = self.charter_for(name, h)
        names, quorum = charter.validators_of(state, name)
        votes = [block for block in self.held.values() if block.kind == "vote"]
        commits = [
            (block.id, charter.decides_for(state, block.fields["a"]), block.payload["r"])
            for block in votes
            if block.payload["phase"] == "commit" and block.payload["merge"] == merge
        ]
        return order.certificate(commits, names, quorum) if quorum > 0 else None

    def may_merge(self, name, h, author):
        state = self.charter_for(name, h)
        names, quorum = charter.validators_of(state, name)
        return (charter.principal_of if quorum == 0 else charter.decides_for)(state, author) in names

    def own_entries(self, merge):
        """Entries for the branch in the merge's ranges, which go on where the branch ends."""
        branch = self.branches[merge["branch"]]
        ids = []
        for author, log, first, last in merge["included"]:
            self.check("ranges", first == branch.next.get((author, log), 0))
            branch.next[author, log] = last + 1
            ids += self.log[author, log][first:last + 1]
        return [id_ for id_ in ids if self._is_for(id_, merge["branch"])]

    def _is_for(self, id_, name):
        return self.held[id_].kind == "entry" and blocks.check_entry(self.held[id_].payload) == name

    def asked(self, merge, entries):
        """What the requests among the branch's entries ask it to take, and which of them are void."""
        found, refused = {}, set()
        for id_ in (id_ for id_ in entries if self.held[id_].payload["app"] == "merge"):
            source = self._wanted(merge, self.held[id_])
            if source is None:
                refused.add(id_)
            elif found.get(source[0], source)[1] <= source[1]:
                found[source[0]] = source
        return [found[name] for name in sorted(found)], refused

    def _wanted(self, merge, block):
        acts, name, state = block.payload["acts"], merge["branch"], self.charter_at(merge["charter"][0])
        if len(acts) != 1 or acts[0][0] != "take" or set(acts[0][1]) != {"branch", "height", "merge"}:
            return None
        source, h, id_ = (acts[0][1][key] for key in ("branch", "height", "merge"))
        may = charter.principal_of(state, block.fields["a"]) in charter.validators_of(state, name)[0]
        is_named = source in state[f"branch/{name}"]["mergeFrom"]
        is_there = source in self.branches and self.branches[source].merges[h - 1:h] == [id_]
        return [source, h, id_] if may and is_named and is_there and h > self._has_up_to(name, source) else None

    def _has_up_to(self, name, source):
        """The height up to which a branch has another: by its merges, or as what it was forked at."""
        heights = [row[1] for id_ in self.branches[name].merges for row in self.held[id_].payload["from"] if row[0] == source]
        return max([*heights, *(h for line, h in self._lineage(name) if line == source)], default=0)

    def _lineage(self, name, h=None):
        """A branch and what it was forked at, each with the height up to which it counts."""
        found = [(name, len(self.branches[name].merges) if h is None else h)]
        while self.branches[found[-1][0]].origin is not None:
            found.append(tuple(self.branches[found[-1][0]].origin[:2]))
        return found

    def taken(self, merge):
        """[L20] What comes from the branches that the merge names."""
        name = merge["branch"]
        has = {id_ for line, h in self._lineage(name) for ids in self.branches[line].members[:h] for id_ in ids}
        frozen = {**self.branches[name].frozen, **{(a, l): n for a, l, n, _ in merge["frozen"]}}
        found = set()
        for source, up_to, _ in merge["from"]:
            for line, h in self._lineage(source, up_to):
                ids = {id_ for members in self.branches[line].members[:h] for id_ in members}
                found |= {id_ for id_ in ids - self.branches[line].voids - has if not self._is_cut(id_, frozen)}
        return {id_ for id_ in found if self.held[id_].payload["app"] != "merge"}

    def _is_cut(self, id_, frozen):
        fields = self.held[id_].fields
        return fields["n"] >= frozen.get((fields["a"], fields["l"]), blocks.COUNT_MAX + 1)

    def freeze(self, merge):
        """[L6] Each cut is from the number that the evidence is of, or from what the branch has not taken."""
        branch = self.branches[merge["branch"]]
        for author, log, n, evidence in merge["frozen"]:
            fields = blocks.check_evidence(self.held[evidence].payload)[0].fields
            is_borne_out = (fields["a"], fields["l"]) == (author, log)
            self.check("frozen logs [L6]", is_borne_out and n == max(fields["n"], branch.next.get((author, log), 0)))
            branch.frozen[author, log] = n

    def apply(self, id_, changes):
        """Makes a merge final, with its blob of changes. Returns what the vectors tell of it."""
        block = self.held[id_]
        merge = blocks.check_merge(block.payload)
        name, h = merge["branch"], merge["h"]
        branch = self.branches[name]
        self.check("place", (branch.merges[-1:] or [None]) == [merge["prev"]] and h == len(branch.merges) + 1)
        self.check("author [L10] [L16]", self.may_merge(name, h, block.fields["a"]))
        certificate = None if h == 1 else self.certificate_of(name, h - 1, merge["prev"])
        self.check("certificate [L10]", certificate == merge["cert"])
        base = merge["prev"] or (self.charter.id if branch.origin is None else branch.origin[2])
        seed = order.seed_of(base, certificate["votes"] if certificate else [])
        own = self.own_entries(merge)
        sources, refused = self.asked(merge, own)
        self.check("sources [L20]", sources == merge["from"])
        taken = self.taken(merge)
        self.freeze(merge)
        entries = order.ordered([(each, self.held[each].fields["c"]) for each in [*own, *taken]], seed)
        self.check("included root", order.included_root(entries) == merge["set"])
        self.check("counts", len(entries) == merge["entries"])
        branch.merges.append(id_)
        branch.members.append(entries)
        branch.positions.append(merge["charter"][0])
        self._change(merge, changes, refused)
        return {"seed": seed, "certificate": certificate, "order": entries, "taken": taken, "refused": refused}

    def _change(self, merge, blob, refused):
        """The blob of changes leads from the state before to the roots that the merge names [L19]."""
        branch = self.branches[merge["branch"]]
        self.check("blob of changes", blake3_derive_key("gdo v1 blob", blob) == merge["changes"])
        changes = canonical.decode(blob)
        state = {app: dict(values) for app, values in branch.states[-1].items()}
        for app, rows in changes["state"].items():
            values = state.setdefault(app, {})
            for key, *value in rows:
                values.update({key: value[0]}) if value else values.pop(key, None)
        self.check("state roots [L19]", {app: order.state_root(values) for app, values in state.items()} == merge["state"])
        voids = {row[0] for row in changes["void"]}
        requests = {id_ for id_ in branch.members[-1] if self.held[id_].payload["app"] == "merge"}
        self.check("void entries", len(changes["void"]) == merge["void"] and voids & requests == refused)
        branch.voids |= voids
        branch.states.append(state)
        if merge["branch"] == "charter":
            self._found_branches(merge["h"])

    def _found_branches(self, height):
        for key, origin in self.charter_at(height).items():
            name = key[len("origin/"):]
            if not key.startswith("origin/") or name in self.branches:
                continue
            if origin is not None:
                origin = [origin[0], origin[1], bytes.fromhex(origin[2])]
            state = {} if origin is None else self.branches[origin[0]].states[origin[1]]
            self.branches[name] = Branch(origin, height, state)
