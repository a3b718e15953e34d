"""Queries over the workbench's sites, and a site to put into them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import ModuleType

QUERIES = """
-- Add a site.
-- Gives its key.
-- name: AddSite :one
INSERT INTO sites (name, kind, past_kind, is_public, is_lit, price, discount, opened_at, closed_at, area, photo)
VALUES (@name, @kind, @past_kind, @is_public, @is_lit, @price, @discount, @opened_at, @closed_at, @area, @photo)
RETURNING id;

-- Add a site of which little is known, unless it is there.
-- name: AddUnknownSite :one
INSERT INTO sites (name, kind, is_public, price, opened_at) VALUES (@name, 'Depot', 0, '0', 0)
ON CONFLICT DO NOTHING RETURNING *;

-- Add a site by its name only.
-- name: AddBareSite :execlastid
INSERT INTO sites (name, kind, is_public, price, opened_at) VALUES (@name, 'Depot', 0, '0', 0);

-- Rename a site.
-- name: RenameSite :exec
UPDATE sites SET name = @name WHERE id = @id;

-- Close all sites that are open.
-- name: CloseSites :execrows
UPDATE sites SET closed_at = @closed_at WHERE closed_at IS NULL;

-- Drop a site; gives what it was.
-- name: DropSite :many
DELETE FROM sites WHERE id = @id RETURNING id, name;

-- Add readings; a repeat changes nothing.
-- name: AddReadings :batchexec
INSERT INTO readings (site_id, read_at, value) VALUES (@site_id, @read_at, @value) ON CONFLICT DO NOTHING;

-- Forget the readings of sites.
-- name: ForgetReadings :batchexec
DELETE FROM readings WHERE site_id = @site_id;

-- One site.
-- name: GetSite :one
SELECT * FROM sites WHERE id = @id;

-- Sites that opened or closed at a time.
-- name: ListSitesByTime :many
SELECT * FROM sites WHERE opened_at = @moment OR closed_at = @moment ORDER BY id;

-- Sites by key.
-- name: ListSitesByKey :many
SELECT id, name FROM sites WHERE kind = @kind AND id IN (sqlc.slice(ids)) AND is_public = @is_public ORDER BY id;

-- Sites of none of the kinds that opened at one of the times.
-- name: ListOtherSites :many
SELECT name FROM sites WHERE kind NOT IN (sqlc.slice(kinds)) AND opened_at IN (sqlc.slice(moments)) ORDER BY id;

-- Sites, of one past kind where it is given.
-- name: ListSitesByPastKind :many
SELECT id FROM sites WHERE past_kind = sqlc.narg(past_kind) OR sqlc.narg(past_kind) IS NULL ORDER BY id;

-- Sites with their readings, where there are any.
-- name: ListReadings :many
SELECT s.name, r.read_at, r.value FROM sites AS s LEFT JOIN readings AS r ON r.site_id = s.id ORDER BY s.id, r.read_at;

-- A page of sites from the newest.
-- name: ListSitesBefore :many
SELECT id FROM sites WHERE (opened_at, id) < (@opened_at, CAST(@id AS INTEGER))
ORDER BY opened_at DESC, id DESC LIMIT @page_size;

-- How many sites there are.
-- name: CountSites :one
SELECT count(*) FROM sites;

-- Whether there is a site of that name.
-- name: HasSite :one
SELECT EXISTS (SELECT 1 FROM sites WHERE name = @name);

-- When the last site opened.
-- name: LastOpening :one
SELECT CAST(max(opened_at) AS INTEGER) AS last_opened_at FROM sites;

-- The past kind of a site.
-- name: GetPastKind :one
SELECT past_kind FROM sites WHERE id = @id;

-- How much room there is.
-- name: SumUp :one
SELECT count(*) AS amount, CAST(coalesce(sum(area), 0) AS REAL) AS room,
    CAST(min(name) AS TEXT) AS least_name FROM sites;

-- Each site's name in the view.
-- name: ListPeaks :many
SELECT name, read_at, amount, peak FROM site_readings ORDER BY name;
"""

READERS = [
    "GetSite",
    "ListSitesByTime",
    "ListSitesByKey",
    "ListOtherSites",
    "ListSitesByPastKind",
    "ListReadings",
    "ListSitesBefore",
    "CountSites",
    "HasSite",
    "LastOpening",
    "GetPastKind",
    "SumUp",
]

OPENED = datetime(2026, 3, 29, 1, 59, 59, 987_654, tzinfo=timezone(timedelta(hours=2)))
STORED = datetime(2026, 3, 28, 23, 59, 59, 987_000, tzinfo=UTC)
Modules = dict[str, ModuleType]


def site(modules: Modules, **changes: object) -> dict[str, object]:
    kind = modules["enums"].SiteKind.SUSPENDED_EVSE
    return {
        "name": "North",
        "kind": kind,
        "past_kind": None,
        "is_public": True,
        "is_lit": None,
        "price": Decimal("0.10"),
        "discount": None,
        "opened_at": OPENED,
        "closed_at": None,
        "area": 2.5,
        "photo": b"\x00\xff",
        **changes,
    }
