"""The sandbox upstream: an Xportcn that exists nowhere but here, for newcomers, demonstrations and tests.

    catalogue   what is for sale, to whom, at which freight
    request     a request body, read and checked
    pricing     request → priced groups (pure, integer fen)
    shapes      priced groups → one of the two documented answers
    books       what this upstream holds to be true: the orders, the requests it has read
    faults      what can go wrong, by name, and when
    conduct     a fault → what the wire does
    access      the five headers
    app         the Starlette application that puts them together
    transport   … reached in process, by httpx
    serve       … reached over a port, by uvicorn

Answers follow what is documented of Xportcn; what the sandbox had to invent says so where it stands.
"""
