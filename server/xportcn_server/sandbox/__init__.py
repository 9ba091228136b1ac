"""The sandbox upstream: an Xportcn that exists nowhere but here, for newcomers, demonstrations and tests.

    catalogue        what is for sale, to whom, at which freight; the offers are in `offers.json`
    pictures         the drawings of what is for sale
    parsing          a request body, read and checked
    prices           request → priced groups (pure, integer fen)
    shapes           priced groups → one of the two documented answers
    product_answers  an offer → the answer of a product or a search
    books            what this upstream holds to be true: the orders, the requests it has read
    order_answers    orders → the answers of details and list
    office           a request → the envelope that answers it
    faults           what can go wrong, by name, and when
    conduct          a fault → what the wire does
    access           the five headers
    service          the Starlette application that puts them together
    control          … and what tests and people do with it
    transport        … reached in process, by httpx
    serving_http     … reached over a port, by uvicorn

Answers follow what is known of Xportcn and 1688; what the sandbox had to invent says so where it stands.
"""
