"""The table of docs/clients.md: what the runs found, beside what `real_clients.py` says of each client."""

from collections.abc import Mapping

from clients.real_clients import CLIENTS_OF_PEOPLE, Client
from clients.scripted_agent import Half


def table(shown: Mapping[Client, Mapping[bool, set[Half]]]) -> str:
    """`shown`: which halves of results the client hands on, by whether the result is a problem."""
    lines = [
        "| client | version | what its model sees | how it can ask | what to set |",
        "|---|---|---|---|---|",
    ]
    for client in CLIENTS_OF_PEOPLE:
        cells = (client.name, client.versions, _seen(shown[client]), client.asks, client.to_set)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _seen(shown: Mapping[bool, set[Half]]) -> str:
    usual, of_problems = (_named(shown[is_problem]) for is_problem in (False, True))
    return usual if usual == of_problems else f"{usual}; of a problem {of_problems}"


def _named(halves: set[Half]) -> str:
    (*others, last) = sorted(halves, reverse=True)
    return f"{others[0]} and {last}, the host chooses" if others else last
