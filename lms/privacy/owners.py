"""Whose a row is: the data map's ways, as conditions of a query."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, false, func, or_, select

from lms.accounts import services as accounts
from lms.core.late import all_tables
from lms.privacy.data_map import MAP


class Owner:
    """One person, as the rows of all tables know them."""

    def __init__(self, person_id: int) -> None:
        self.person_id = person_id
        self.email = accounts.get_person_by_id(person_id).email
        self._tables = all_tables().tables
        self._conditions: dict[str, ColumnElement[bool]] = {}

    def rows(self, name: str) -> ColumnElement[bool]:
        """Return the condition that picks this person's rows of a table."""
        if name not in self._conditions:
            table = self._tables[name]
            ways = [self._way(table, way) for way in MAP[name].ways]
            self._conditions[name] = or_(false(), *ways)
        return self._conditions[name]

    def erased(self, name: str) -> ColumnElement[bool]:
        """Return the condition that picks the rows that change when this person is deleted."""
        table = self._tables[name]
        also = [self._way(table, way) for way in MAP[name].also]
        return or_(self.rows(name), *also)

    def select(self, name: str) -> Select[Any]:
        """Select this person's rows of a table, in the order of its key."""
        table = self._tables[name]
        return select(table).where(self.rows(name)).order_by(*table.primary_key.columns)

    def _way(self, table: Table, way: str) -> ColumnElement[bool]:
        if way == "id":
            return _is(table.c.id, self.person_id)
        if way.startswith("@"):
            return func.lower(table.c[way[1:]]) == self.email
        if way.startswith("#"):
            return _is(table.c[way[1:]], f"person:{self.person_id}")
        if way.startswith("<"):
            child, name = way[1:].split(".")
            found = select(self._tables[child].c[name]).where(self.rows(child))
            return _among(_key(table), found)
        column: Column[Any] = table.c[way]
        target: Column[Any] = next(iter(column.foreign_keys)).column
        if target.table.name == "person":
            return _is(column, self.person_id)
        return _among(column, select(target).where(self.rows(target.table.name)))


def _is(column: Column[Any], value: object) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column == value
    return found


def _among(column: Column[Any], found: Select[Any]) -> ColumnElement[bool]:
    rows: ColumnElement[bool] = column.in_(found)
    return rows


def _key(table: Table) -> Column[Any]:
    return next(iter(table.primary_key.columns))
