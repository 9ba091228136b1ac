"""The page for people: see what waits, say yes or no, end what is unknown.

site.py         routes and what each does, all of it through `desk/operator.py`; no rule lives here
showing.py      what a template gets, in the person's language
sessions.py     one-time codes, cookies and the tokens of forms
guard.py        which requests are answered at all: Host, Origin, size, rate; the headers of every answer
opening.py      the loopback server, the file that leads the browser to it, and the browser
templates/, static/    server-rendered; the script only keeps the page fresh and counts down
"""
