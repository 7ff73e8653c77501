"""What models give: arrays by name, as items and as attributes."""

from __future__ import annotations

from typing import Any, Dict


class ModelOutput(Dict[str, Any]):
    """Arrays by name: ``output["sequences"]`` and ``output.sequences`` are the same."""

    def __getitem__(self, key: Any) -> Any:
        """By name, or by position as transformers' outputs."""
        if isinstance(key, (int, slice)):
            return tuple(self.values())[key]
        return super().__getitem__(key)

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(
            f"There is no {name!r} among what the model gives: {', '.join(self)}. Converted models "
            "give what their signatures have."
        )
