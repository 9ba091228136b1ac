"""The page for people: see what waits, say yes or no, end what is unknown.

site.py           the routes, and what each shows
forms.py          what each form does, through `desk/operator.py`; no rule lives here
showing.py        what a template gets, in the person's language
sessions.py       one-time codes, cookies and the tokens of forms
guard.py          which requests are answered at all: Host, Origin, size, rate; the headers of every answer
picture_fetch.py  pictures of goods, through this process
opening.py        the loopback server, the file that leads the browser to it, and the browser
beside.py         the page beside a server on stdio
templates/, static/    server-rendered; the script only keeps the page fresh and counts down
"""
