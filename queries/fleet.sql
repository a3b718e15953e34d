-- Every charge point with its energy, as monitoring begins with it.
-- name: ListFleet :many
SELECT key, identity, energy_wh, energy_peak_wh, last_boot_at, last_tx_start_at, has_evses FROM charge_points ORDER BY identity;

-- Every connector with its status.
-- name: ListFleetConnectors :many
SELECT charge_point_key, evse_id, connector_id, status, error_code FROM connectors ORDER BY charge_point_key, evse_id, connector_id;

-- Every transaction that is open.
-- name: ListFleetTransactions :many
SELECT * FROM transactions WHERE stopped_at IS NULL ORDER BY started_at, id;
