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
signed_call     one signed call that reads, and what its answer says
account         whether a search is accepted as the account is set
probe           which signing rule and unit the account accepts
probe_paths     ... and which of the inferred paths
recording       the answers of a probe as files
scrubbing       ... without people, accounts and ids
going_live      the list for the first live day
report          all of it, for a person or as JSON
"""
