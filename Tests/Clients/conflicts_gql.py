"""A conflict answered to each strategy, as python-gql sees it.

    python3 conflicts_gql.py URL KEY        (pip install 'gql[aiohttp]')

The hub serves models Merged (AUTOMERGE), Strict (OPTIMISTIC_CONCURRENCY) and Decided (LAMBDA, whose function resolves to
both titles, rejects a title `reject`, takes too long for a title `slow`, and lets a stale delete through). Exit 0 when
every check holds; else 1 with the check that failed.
"""

import asyncio
import sys

from checks import PATIENCE
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.appsync_auth import AppSyncApiKeyAuthentication
from gql.transport.exceptions import TransportQueryError

checks = 0


def check(condition, text):
    global checks
    checks += 1
    if not condition:
        print(f"failed: {text}")
        sys.exit(1)


async def mutate(session, verb, model, fields):
    text = "mutation { %s%s(input: {%s}) { __typename id title tags _version _deleted _lastChangedAt } }"
    answer = await session.execute(gql(text % (verb, model, fields)))
    return answer[verb + model]


async def refused(session, verb, model, fields):
    try:
        await mutate(session, verb, model, fields)
    except TransportQueryError as error:
        return error.errors[0]
    check(False, f"{verb}{model}({fields}) is refused")


async def prepare(session, model, identifier):
    """Another client has changed the record: it is at version 2."""
    await mutate(session, "create", model, f'id: "{identifier}", title: "first", tags: ["a"]')
    await mutate(session, "update", model, f'id: "{identifier}", title: "theirs", _version: 1')


def check_conflict(error, name, title="theirs", version=2):
    check(error["errorType"] == "ConflictUnhandled", f"{name}: ConflictUnhandled at the top level")
    check(error["data"]["title"] == title and error["data"]["_version"] == version, f"{name}: the server's record")
    check(error["data"]["__typename"] and error["data"]["_lastChangedAt"], f"{name}: with what clients need of it")
    check(error["locations"][0]["line"] >= 1, f"{name}: where in the document")


async def run(url, key):
    auth = AppSyncApiKeyAuthentication(host="hub.example", api_key=key)
    async with Client(execute_timeout=PATIENCE, transport=AIOHTTPTransport(url=url, auth=auth)) as session:
        stale = 'id: "1", title: "mine", tags: ["b"], _version: 1'

        await prepare(session, "Merged", "1")
        merged = await mutate(session, "update", "Merged", stale)
        check(merged["title"] == "theirs", "automerge: the scalar that is there wins")
        check(merged["tags"] == ["a", "b"], "automerge: the list is appended")
        check(merged["_version"] == 3, "automerge: the version grows")
        error = await refused(session, "delete", "Merged", 'id: "1", _version: 1')
        check_conflict(error, "automerge, a stale delete", version=3)

        await prepare(session, "Strict", "1")
        error = await refused(session, "update", "Strict", stale)
        check_conflict(error, "optimistic concurrency")
        check(error["message"] == "Conflict resolver rejects mutation.", "optimistic concurrency: AppSync's words")
        check_conflict(await refused(session, "delete", "Strict", 'id: "1", _version: 1'), "optimistic, a stale delete")

        await prepare(session, "Decided", "1")
        resolved = await mutate(session, "update", "Decided", stale)
        check(resolved["title"] == "theirs and mine", "lambda: RESOLVE takes the record's place")
        check(resolved["_version"] == 3, "lambda: the version grows")
        error = await refused(session, "update", "Decided", 'id: "1", title: "reject", _version: 1')
        check_conflict(error, "lambda, REJECT", "theirs and mine", 3)
        check(error["message"] == "Conflict resolver rejects mutation.", "lambda, REJECT: AppSync's words")
        error = await refused(session, "update", "Decided", 'id: "1", title: "slow", _version: 1')
        check(error["errorType"] == "ConflictError", "lambda, too slow: no conflict for the client, who would give up")
        check(error.get("data") is None, "lambda, too slow: no record to take in place of the change")
        check("took too long" in error["message"], "lambda, too slow: the message says so")
        removed = await mutate(session, "delete", "Decided", 'id: "1", _version: 1')
        check(removed["_deleted"] is True and removed["_version"] == 4, "lambda: REMOVE goes through with the delete")
    print(f"conflicts: {checks} checks hold")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__)
        sys.exit(2)
    asyncio.run(run(*sys.argv[1:]))
