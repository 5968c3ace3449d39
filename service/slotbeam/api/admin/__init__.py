"""The control plane: bind, edit and unbind words; see which replica serves what. docs/http.md is its manual."""

from slotbeam.api.admin.app import create_admin_app

__all__ = ["create_admin_app"]
