-- Some charge points at a glance: each connector, with the transaction that is open there.
-- name: ListTiles :many
SELECT
    p.identity, p.display_name, p.registered_at, p.last_connect_at, p.last_disconnect_at, c.evse_id, c.connector_id,
    c.status, c.error_code, c.status_began_at, t.id AS transaction_id, t.started_at, t.id_tag
FROM charge_points AS p
LEFT JOIN connectors AS c ON c.charge_point_key = p.key AND c.is_shown = 1
LEFT JOIN transactions AS t ON t.id = (
    SELECT max(o.id) FROM transactions AS o WHERE o.connector_key = c.key AND o.stopped_at IS NULL
)
WHERE p.identity IN (sqlc.slice(identities))
ORDER BY p.key, c.evse_id, c.connector_id;

-- The charge points whose identity or name has some text in it, by identity.
-- name: FindByName :many
SELECT identity FROM charge_points
WHERE instr(lower(identity), lower(@wanted)) > 0 OR instr(lower(display_name), lower(@wanted)) > 0
ORDER BY identity LIMIT @row_limit;
