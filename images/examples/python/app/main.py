"""Everybody may use so much of something, and no more.

What is kept:  used/<member> -> how much     limit/<member> -> how much they may, where it is not 100

Change these functions. They get what they need as arguments and use nothing else: no clock, no random
numbers, no files. Every machine that runs them must come to the same result.
"""
from dapp import Refusal, serve

LIMIT = 100


def standing(state, member):
    """What a member has used, and may use."""
    used, limit = state.get("used/" + member), state.get("limit/" + member)
    return used or 0, LIMIT if limit is None else limit


# Acts: what people append. The schemas were checked before; raise Refusal for what is not allowed.

def use(body, entry, state):
    member = entry["principal"]
    used, limit = standing(state, member)
    if used + body["amount"] > limit:
        raise Refusal(f"{member} has used {used} of {limit}")
    state.put("used/" + member, used + body["amount"])
    state.emit({"type": "used", "member": member, "total": used + body["amount"]})


def limit(body, entry, state):
    if "quota" not in entry["rights"]:
        raise Refusal(f"{entry['principal']} does not have the right quota")
    state.put("limit/" + body["member"], body["max"])


# The merge test: what must hold after a merge. Whatever it finds keeps the entry out.

def test(entries, before, after):
    for entry in entries:
        for kind, body in entry["acts"]:
            member = body["member"] if kind == "limit" else entry["principal"]
            used, most = standing(after, member)
            if used > most:
                yield f"{member} has used {used} of {most}"


# Queries and commands: what people ask, and what becomes of what they ask for.

def query_used(member, state):
    used, most = standing(state, member)
    return {"used": used, "limit": most}


def command_use(args, actor, state):
    used, most = standing(state, actor["principal"])
    if used + args["amount"] > most:
        raise Refusal(f"you have used {used} of {most}")
    return [["use", {"amount": args["amount"]}]]


DAPP = {
    "acts": {"use": use, "limit": limit},
    "test": test,
    "queries": {"used": query_used},
    "commands": {"use": command_use},
}

if __name__ == "__main__":
    serve(DAPP)
