"""What `xportcn-mcp doctor` looks at. Nothing here changes what it looks at.

check           what a check found, and what to do about it
check_settings  which place each setting comes from, faults, misspelt names
check_program   Python, packages, what else writes on the stdout of `serve`
check_ledger    the ledger's place, and the SQLite file
ledger_state    ... its version, and the orders left open in it
check_copies    ... whether it is an earlier copy, and has a backup
check_postgres  the ledger in PostgreSQL
check_network   proxy, certificates, DNS, TCP, TLS, HTTP, clock
unreached       ... why no connection could be made
check_callers   who may call over HTTP
signed_call     one signed call that reads, and what its answer says
check_account   whether a search is accepted as the account is set
probe           which signing rule and unit the account accepts
probe_paths     ... and which of the inferred paths
recording       the answers of a probe as files
scrubbing       ... without people, accounts and ids
going_live      the list for the first live day
report          all of it, for a person or as JSON
"""
