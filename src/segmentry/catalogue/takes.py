"""What the data must have besides the columns that a trait needs: said of it where it is absent all the same."""

from __future__ import annotations

_RETURNED = "order that came back"
_MAILS = "e-mail that came"
_USE = "event of the web site, the app or the product: all are about e-mails"
_MATRIX = "matrix of five or more rating items that stand on one scale"
_MODEL = "model of buying that the history of purchases supports (`segmentry lifetime`)"
_VALUES = "model of spending that the amounts of orders support (`segmentry lifetime`)"
_WRITTEN = "texts in people's own words that make themes"
_ROBOTS = "user agent of a person's device"

# By trait (a family by its name), to be read behind "there is no".
TAKES: dict[str, str] = {
    "spend_trend": "sale 180 days ago or longer",
    "return_rate": _RETURNED,
    "regularity": "history of orders long enough",
    "preferred_hour": "order with a time of day: all are dates",
    "channel_share_*": "channel with a share that is worth a trait",
    "category_share_*": "category with a share that is worth a trait",
    **dict.fromkeys(
        (
            "visits_30d", "visits_90d", "days_since_visit", "stickiness", "actions_per_active_day", "features_used",
            "engagement_trend", "visit_weekday", "visit_hour",
        ),
        _USE,
    ),
    "mail_opens_30d": "e-mail that was opened",
    "mail_opens_90d": "e-mail that was opened",
    "mail_clicks_30d": "click in an e-mail",
    "mail_clicks_90d": "click in an e-mail",
    "open_rate": f"{_MAILS}, or none that was opened",
    "click_rate": f"{_MAILS}, or none that was clicked",
    "click_to_open_rate": "e-mail that was opened, or none that was clicked",
    **dict.fromkeys(("p_alive", "churn_risk", "expected_orders_*"), _MODEL),
    **dict.fromkeys(("expected_spend", "clv_*", "value_at_risk"), _VALUES),
    **dict.fromkeys(("margin", "margin_rate"), "cost of enough of what was sold"),
    "clv_to_cac": "lifetime value, or no cost of winning customers",
    "acquisition_cost": "cost of the type acquisition",
    "service_cost": "cost of the type service",
    "retention_cost": "cost of the type retention",
    "benefit_of_*": "answered best-worst exercise that segmentry.yaml names under `surveys`",
    "main_benefit": "answered best-worst exercise that segmentry.yaml names under `surveys`",
    "importance_of_*": "matrix that asks how important things are, in its wording or by `importance` under `surveys`",
    "satisfaction_with_*": "matrix that asks how satisfied people are, in its wording or by `satisfaction` under "
    "`surveys`",
    "opportunity_in_*": "need whose importance and satisfaction were both asked",
    "nps": "question that asks for a recommendation, by its wording or by `nps` under `surveys`",
    "nps_group": "question that asks for a recommendation from 0 to 10, by its wording or by `nps` under `surveys`",
    "csat": "question that asks how satisfied people are over all, by its wording or by `csat` under `surveys`",
    "ces": "question that asks how easy it was, by its wording or by `ces` under `surveys`",
    "chooses_*": "matrix of items that are answered by yes or no, and no question with several answers that "
    "segmentry.yaml names under `surveys`: `choices`",
    **dict.fromkeys(("texts", "main_theme", "theme_*"), _WRITTEN),
    "scale_*": "scale that segmentry.yaml declares under `surveys`",
    "factor_*": "matrix of six or more rating items that no scale is declared for",
    "acquiescence": f"{_MATRIX}, of agreement",
    "extreme_response": _MATRIX,
    "straight_lining": _MATRIX,
    "interest_*": "event that tells a topic: a category, topic or section, or the address of a page",
    **dict.fromkeys(("main_device", "device_share_*", "operating_system"), _ROBOTS),
    "browser": "user agent of a browser",
    "app_version_lag": "event of a person with a version of the app",
    "channels_used": "event of a person with a channel",
    "event_channel_share_*": "channel of events with a share that is worth a trait",
    "technology_*": "technology that is frequent among those of the accounts",
    "account_industry": "customer whose account's industry is known",
    "account_size_band": "customer whose account's employees are known",
    "buying_role": "customer with an account and a role or a telling job title",
    "group_role": "account that belongs to another",
    "group_accounts": "account that belongs to another",
    "group_monetary": "account that belongs to another",
    "group_pipeline_value": "account that belongs to another",
    "contacts": "customer who is a contact of an account",
    "deciders": "contact of an account with a role or a telling job title",
    "buying_roles": "contact of an account with a role or a telling job title",
    "touchpoints_90d": "event that concerns an account",
    "last_touchpoint_days": "event that concerns an account",
}  # fmt: skip
