"""What `xportcn-mcp doctor` looks at. Nothing here changes what it looks at.

check           what a check found, and what to do about it
settings        settings: which place each one comes from, faults, misspelt names
program         Python, packages, what else writes on the stdout of `serve`
ledger          the ledger's place, and the SQLite file
ledger_state    ... its version, and the orders left open in it
postgres        the ledger in PostgreSQL
network         proxy, certificates, DNS, TCP, TLS, HTTP, clock
callers         who may call over HTTP
unreached       why no connection could be made
probe           which signing rule the account accepts
report          all of it, for a person or as JSON
"""
