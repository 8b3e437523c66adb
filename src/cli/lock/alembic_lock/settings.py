"""Classes of pydantic's settings in the project, and the environment variables of their fields."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any


def fields_pattern() -> re.Pattern[str]:
    """Return the pattern of the variables of pydantic's settings, with those of nested fields, such as `DB__HOST`."""
    names = []
    for settings in all_settings():
        delimiter = (getattr(settings, "model_config", None) or {}).get("env_nested_delimiter")
        nested = f"({re.escape(delimiter)}.*)?" if delimiter else ""
        names += [re.escape(name) + nested for name in variables_of(settings).values()]
    return re.compile("|".join(names) or "(?!)", re.IGNORECASE)


def invalid_settings(error: BaseException, kinds: tuple[str, ...] | None = None) -> list[str]:
    """Return the variables of the fields of pydantic's settings that an error is about, of some kinds or all."""
    read: Callable[[], list[dict[str, Any]]] | None = getattr(error, "errors", None)
    title = getattr(error, "title", None) or getattr(getattr(error, "model", None), "__name__", None)
    settings = next((each for each in all_settings() if each.__name__ == title), None)
    if not callable(read) or settings is None:
        return []
    fields = [str(each["loc"][0]) for each in read() if each["loc"] and (kinds is None or each["type"] in kinds)]
    variables = variables_of(settings)
    return [variables.get(field, field) for field in fields]


def all_settings() -> Iterator[Any]:
    """Return the classes of settings, of pydantic-settings or of pydantic 1."""
    module = sys.modules.get("pydantic_settings") or sys.modules.get("pydantic")
    # Not by getattr, which is an error with pydantic 2: it has moved the class.
    pending = [] if module is None else [vars(module).get("BaseSettings")]
    while pending:
        kind = pending.pop()
        subclasses = [] if kind is None else kind.__subclasses__()
        yield from subclasses
        pending += subclasses


def variables_of(settings: Any) -> dict[str, str]:
    """Return the environment variable of each field."""
    config = getattr(settings, "model_config", None)
    if config is None:
        return {name: min(field.field_info.extra["env_names"]).upper() for name, field in settings.__fields__.items()}
    names = {}
    for name, field in settings.model_fields.items():
        alias = field.validation_alias or field.alias
        names[name] = alias if isinstance(alias, str) else config.get("env_prefix", "") + name
    return names if config.get("case_sensitive") else {field: name.upper() for field, name in names.items()}
