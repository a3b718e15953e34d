-- Every charge point, whether it has ever connected, and whether its boot was ever accepted.
-- name: ListPoints :many
SELECT
    key, identity, CAST(last_connect_at IS NOT NULL AS INTEGER) AS has_connected,
    CAST(boot_accepted_at IS NOT NULL AS INTEGER) AS is_accepted
FROM charge_points;

-- When some charge points were here.
-- name: ListPresence :many
SELECT key, registered_at, last_connect_at, last_disconnect_at, last_heartbeat_at
FROM charge_points WHERE key IN (sqlc.slice(keys));

-- What people call some charge points.
-- name: ListNames :many
SELECT key, display_name FROM charge_points WHERE key IN (sqlc.slice(keys));

-- Open transactions that were begun, or told of, up to some time.
-- name: ListLongOpen :many
SELECT t.id, t.charge_point_key, t.evse_id, t.connector_id, t.id_tag, t.started_at, t.start_received_at
FROM transactions AS t
WHERE t.stopped_at IS NULL AND (t.started_at <= @began_until OR t.start_received_at <= @told_until);

-- Some open transactions.
-- name: ListOpenOf :many
SELECT t.id, t.charge_point_key, t.evse_id, t.connector_id, t.id_tag, t.start_received_at
FROM transactions AS t WHERE t.stopped_at IS NULL AND t.id IN (sqlc.slice(ids));

-- The energy of the transactions that ended in a span of time, as mcpp.domain.energy.counted_wh counts it, and how many
-- there were, without the implausible ones, which are counted apart.
-- name: SumEndedTransactions :one
SELECT
    CAST(coalesce(sum(coalesce(r.energy_wh, CASE WHEN t.implausible_reason IS NULL THEN t.energy_wh END)), 0) AS INTEGER)
        AS energy_wh,
    count(coalesce(r.energy_wh, CASE WHEN t.implausible_reason IS NULL THEN t.energy_wh END)) AS sessions,
    count(*) AS all_sessions
FROM transactions AS t
LEFT JOIN transaction_corrections AS r ON r.id = t.correction_id
WHERE t.stopped_at >= @since AND t.stopped_at < @until;

-- The connectors that report a fault.
-- name: ListFaultedConnectors :many
SELECT charge_point_key, evse_id, connector_id, error_code, info, vendor_error_code, status_began_at
FROM connectors WHERE status = 'Faulted' AND is_shown = 1 ORDER BY charge_point_key;

-- Transactions that were closed by evidence since some time, the newest first, and how many there are.
-- name: ListLatelyRecovered :many
SELECT
    t.id, t.charge_point_key, t.evse_id, t.connector_id, t.id_tag, t.stop_received_at,
    CAST(coalesce((
        SELECT count(*) FROM transactions AS a WHERE a.stop_origin = 'recovered' AND a.stop_received_at >= @since
    ), 0) AS INTEGER) AS of_all
FROM transactions AS t
WHERE t.stop_origin = 'recovered' AND t.stop_received_at >= @since
ORDER BY t.stop_received_at DESC, t.id DESC LIMIT @row_limit;

-- Ended transactions whose energy can't be true, told of since some time, the newest first, and how many there are.
-- name: ListLatelyImplausible :many
SELECT
    t.id, t.charge_point_key, t.evse_id, t.connector_id, t.id_tag, t.implausible_reason, t.stop_received_at,
    CAST(coalesce((
        SELECT count(*) FROM transactions AS a
        WHERE a.implausible_reason IS NOT NULL AND a.correction_id IS NULL AND a.stop_received_at >= @since
    ), 0) AS INTEGER) AS of_all
FROM transactions AS t
WHERE t.implausible_reason IS NOT NULL AND t.correction_id IS NULL AND t.stop_received_at >= @since
ORDER BY t.stop_received_at DESC, t.id DESC LIMIT @row_limit;

-- How many unmatched records each charge point has, and since when.
-- name: ListUnmatchedByChargePoint :many
SELECT
    charge_point_key, count(*) AS records, CAST(coalesce(max(received_at), 0) AS INTEGER) AS newest_received_at
FROM unmatched WHERE transaction_id IS NULL GROUP BY charge_point_key;

-- In how many new ways each charge point has departed from the contract since some time, and when last. The + keeps it
-- on the index by time.
-- name: ListNewDepartures :many
SELECT charge_point_key, count(*) AS kinds, CAST(coalesce(max(first_at), 0) AS INTEGER) AS newest_first_at
FROM departures WHERE first_at >= @since GROUP BY +charge_point_key;

-- Cards presented since some time that aren't stored, those presented last first.
-- name: ListUnstoredCards :many
SELECT u.id_tag, u.charge_point_key, u.status, u.last_at
FROM unknown_id_tags AS u
WHERE u.last_at >= @since AND NOT EXISTS (SELECT 1 FROM id_tags AS i WHERE i.id_tag = u.id_tag)
ORDER BY u.last_at DESC;

-- The newest installed certificate of each charge point, where it ends before some time.
-- name: ListEndingUnrenewed :many
SELECT c.charge_point_key, c.issued_at, c.expires_at FROM certificates AS c
WHERE c.status = 'issued' AND c.expires_at <= @until AND c.charge_point_key IS NOT NULL
AND NOT EXISTS (
    SELECT 1 FROM certificates AS n
    WHERE n.charge_point_key = c.charge_point_key AND n.status = 'issued' AND n.id > c.id
)
ORDER BY c.expires_at;
