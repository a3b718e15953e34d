-- Keep what a connector's status became, in place of the oldest that is kept.
-- name: PutConnectorStatus :exec
INSERT INTO connector_statuses (connector_key, slot, began_at, status)
VALUES (@connector_key, @slot, @began_at, @status)
ON CONFLICT (connector_key, slot) DO UPDATE SET began_at = excluded.began_at, status = excluded.status;

-- Keep that a connection began, in place of the oldest that is kept.
-- name: BeginConnection :exec
INSERT INTO connections (charge_point_key, slot, began_at) VALUES (@charge_point_key, @slot, @began_at)
ON CONFLICT (charge_point_key, slot) DO UPDATE SET began_at = excluded.began_at, ended_at = NULL;

-- Keep that a connection ended.
-- name: EndConnection :exec
UPDATE connections SET ended_at = @ended_at WHERE charge_point_key = @charge_point_key AND slot = @slot;

-- The statuses that are kept of a connector, each from when on.
-- name: ListConnectorStatuses :many
SELECT began_at, status FROM connector_statuses WHERE connector_key = @connector_key ORDER BY began_at;

-- The connections that are kept of a charge point.
-- name: ListConnections :many
SELECT began_at, ended_at FROM connections WHERE charge_point_key = @charge_point_key ORDER BY began_at;

-- The runs of the server that are kept.
-- name: ListRuns :many
SELECT * FROM server_runs ORDER BY id;

-- The connectors of a charge point that it has in the version that it speaks.
-- name: ListShownConnectors :many
SELECT key, evse_id, connector_id, status_changes FROM connectors
WHERE charge_point_key = @charge_point_key AND is_shown = 1
ORDER BY evse_id, connector_id;

-- When there were transactions at a connector that began in a span of time, the newest first.
-- name: ListTimesInUse :many
SELECT started_at, stopped_at FROM transactions
WHERE connector_key = @connector_key AND started_at >= @since AND started_at < @until
ORDER BY started_at DESC LIMIT @row_limit;

-- Delete what is kept of a connector's statuses.
-- name: DeleteConnectorStatuses :execrows
DELETE FROM connector_statuses WHERE connector_key = @connector_key;
