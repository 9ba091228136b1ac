"""What every driver of the ledger must do. A driver's test makes a `Store` and inherits `LedgerSuite`.

A behaviour is added to the part in `suite/` that has its subject, never to one driver's test; what only one
store has (files, say) is tested beside it. After each test the trail is whole.
"""

from ledger.suite.answers import AnswerSuite
from ledger.suite.cancellation import CancellationSuite
from ledger.suite.claims import ClaimSuite
from ledger.suite.day_usage import DayUsageSuite
from ledger.suite.erasure import ErasureSuite
from ledger.suite.outcomes import OutcomeSuite
from ledger.suite.pausing import PauseSuite
from ledger.suite.previews import PreviewSuite
from ledger.suite.queries import QuerySuite
from ledger.suite.races import RaceSuite
from ledger.suite.trail import TrailSuite


class LedgerSuite(
    PreviewSuite,
    AnswerSuite,
    ClaimSuite,
    DayUsageSuite,
    RaceSuite,
    OutcomeSuite,
    PauseSuite,
    ErasureSuite,
    QuerySuite,
    TrailSuite,
    CancellationSuite,
):
    """Inherit it, and give a fixture `store`."""
