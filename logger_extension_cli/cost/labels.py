"""What tells rows apart: the columns that say which group a row is of. Constants."""

from collections.abc import Mapping

from logger_extension_cli.cost.answer import Column, Kind

LABELS: Mapping[str, Column] = {
    column.key: column
    for column in (
        Column("function", "function", Kind.TEXT),
        Column("version", "version", Kind.TEXT),
        Column("alias", "alias", Kind.TEXT),
        Column("memory_size_mb", "memory", Kind.MB),
        Column("architecture", "arch", Kind.TEXT),
        Column("region", "region", Kind.TEXT),
        Column("is_cold_start", "start", Kind.TEXT),
        Column("feature", "feature", Kind.TEXT),
        Column("change", "change", Kind.TEXT),
    )
}
