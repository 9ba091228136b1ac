"""What `xportcn-mcp doctor` looks at. Nothing here changes what it looks at.

check           what a check found, and what to do about it
configuration   settings: which place each one comes from, faults, misspelt names
program         Python, packages, what else writes on the stdout of `serve`
ledger          the ledger's place, and the SQLite file
ledger_state    ... its version, and the orders left open in it
postgres        the ledger in PostgreSQL
network         proxy, certificates, DNS, TCP, TLS, HTTP, clock
unreached       why no connection came about
"""
