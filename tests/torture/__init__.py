"""Orders through crashes, faults and races, thousands of them, each from a seed: `make torture`.

    mortal      a process's life: moments are counted, and at one of them it dies
    world       one sandbox, one ledger file, one clock, and desks over them
    verdict     what must be true of ledger, books and answers after any run
    crashes     in process: die, be cancelled or stall anywhere; and faults without an injury
    races       in process: a hundred calls with one token at once
    kills       real processes, SIGKILL at a moment (`crash_child` is the victim)
    __main__    the command: progress, and the closing table

A run is made by its name alone, like `crash:17`, so it can be repeated alone.
"""
