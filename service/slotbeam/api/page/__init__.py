"""The ops page at the control plane's root: what `/admin` answers, for people, and for no one who may not ask it.

Every look and every edit is a request of `/admin` made in this process with the token of who signed in: token, scope,
rate, checks and audit are those of the API.
"""
