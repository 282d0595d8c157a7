"""The tool's own configuration: flag over environment over profile over file over built-in."""

from __future__ import annotations

from goexchange.settings.loading import SETTING_NAMES, environment_variable, load_configuration

__all__ = ["SETTING_NAMES", "environment_variable", "load_configuration"]
