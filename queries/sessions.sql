-- The charging sessions that run: of connectors, each with its open transaction where it has one.
-- name: ListSessions :many
SELECT
    p.identity AS charge_point_id, c.evse_id, c.connector_id, c.session_correlation_id, t.id AS transaction_id,
    c.status_received_at, t.start_received_at
FROM connectors AS c
JOIN charge_points AS p ON p.key = c.charge_point_key
LEFT JOIN transactions AS t ON t.connector_key = c.key AND t.stopped_at IS NULL AND t.session_correlation_id = c.session_correlation_id
WHERE c.session_correlation_id IS NOT NULL;
