"""Pages and HTTP routes."""

from suzani.web.app import build, build_api, serve

__all__ = ["build", "build_api", "serve"]
