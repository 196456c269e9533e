"""The operator's navigation."""

from authsrv.pages.desk import Desk, Line

DESK = Desk(
    "operator",
    (
        Line("queue", "/operator"),
        Line("apps", "/operator/apps"),
        Line("people", "/operator/people"),
        Line("stores", "/operator/stores"),
        Line("audit", "/operator/audit"),
    ),
)
