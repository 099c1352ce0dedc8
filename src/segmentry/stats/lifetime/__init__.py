"""Customer lifetime value: who is still a customer, what they will buy, what that is worth.

============================  ==========================================================  ==========================
model                         customers                                                   data
============================  ==========================================================  ==========================
:class:`BetaGeo`              may leave unseen after a repeat purchase                    x, t_x, T in any unit
:class:`ModifiedBetaGeo`      may leave unseen after any purchase, the first included     x, t_x, T in any unit
:class:`ParetoNbd`            may leave unseen at any moment                              x, t_x, T in any unit
:class:`GeometricNbd`         may leave unseen after any purchase, all equally readily    x, t_x, T in any unit
:class:`Nbd`                  never leave                                                 x, t_x, T in any unit
:class:`BetaBinomialGeo`      may buy once a period, may leave unseen                     x, t_x, n in whole periods
:class:`ShiftedBetaGeo`       are under contract and are seen to leave                    periods, left or not
:class:`GammaGamma`           spend on a purchase                                         x and mean spend
============================  ==========================================================  ==========================

The road from purchases to values::

    bought = summarise(customer, time, amount)                          # x, t_x, T, mean spend; print it
    buying = BetaGeo.fit(bought.frequency, bought.recency, bought.T)    # FitError: the data cannot tell
    spending = GammaGamma.fit(bought.frequency, bought.monetary)
    values = lifetime_value(
        buying, spending, bought.frequency, bought.recency, bought.T, bought.monetary, Terms(horizon=365)
    )

Every function takes cells with ``counts`` in place of customers, and gives one figure per row in the order of the rows.
A base that lives in a database is therefore grouped there by (x, t_x, T), the few thousand cells are fitted and scored
here, and the scores are joined back on (x, t_x, T). A spend that depends on the customer's own mean is arithmetic that
SQL can do: ``p * (v + x * m) / (p * x + q - 1)``, times ``discounted_purchases`` of the cell. Fit on a calibration,
look at ``validate``, then fit on everything. Models are frozen, and JSON in and out.
"""

from segmentry.stats.lifetime.beta_binomial import BetaBinomialGeo
from segmentry.stats.lifetime.beta_geo import BetaGeo, ModifiedBetaGeo
from segmentry.stats.lifetime.cells import Cells, purchase_cells
from segmentry.stats.lifetime.estimate import Estimate
from segmentry.stats.lifetime.gamma_gamma import GammaGamma, correlation
from segmentry.stats.lifetime.geometric import GeometricNbd
from segmentry.stats.lifetime.holdout import Decile, Forecast, Tracking, Validation, track, validate
from segmentry.stats.lifetime.nbd import Nbd
from segmentry.stats.lifetime.pareto import ParetoNbd
from segmentry.stats.lifetime.scores import Outlook, Scores, scores
from segmentry.stats.lifetime.shifted_beta import ShiftedBetaGeo
from segmentry.stats.lifetime.summary import Summary, summarise
from segmentry.stats.lifetime.value import Interval, Terms, Values, lifetime_value

__all__ = [
    "BetaBinomialGeo",
    "BetaGeo",
    "Cells",
    "Decile",
    "Estimate",
    "Forecast",
    "GammaGamma",
    "GeometricNbd",
    "Interval",
    "ModifiedBetaGeo",
    "Nbd",
    "Outlook",
    "ParetoNbd",
    "Scores",
    "ShiftedBetaGeo",
    "Summary",
    "Terms",
    "Tracking",
    "Validation",
    "Values",
    "correlation",
    "lifetime_value",
    "purchase_cells",
    "scores",
    "summarise",
    "track",
    "validate",
]
