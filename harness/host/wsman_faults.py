"""Codes of WS-Man faults by which a host says more than that it failed; from wsmerror.h."""

from __future__ import annotations

TIMED_OUT, DENIED = 2150858793, 5
QUOTAS = {  # ERROR_WSMAN_QUOTA_… of wsmerror.h: limit, shells, operations, user, system, users, …
    *(2150858815, 2150859173, 2150859174, 2150859175, 2150859176, 2150859179),
    *range(2150859236, 2150859243),  # the per-plugin quotas; 2150859241: commands per shell
}
QUOTA_ADVICE = (
    "close other sessions of this user on the host, or raise the quota (winrm get winrm/config)"
)
