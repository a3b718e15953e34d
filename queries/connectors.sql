-- One connector by its number.
-- name: GetConnector :one
SELECT * FROM connectors
WHERE charge_point_key = @charge_point_key AND evse_id = @evse_id AND connector_id = @connector_id;

-- Create a connector that was not seen before. Connector 0 of an EVSE stands for the EVSE: that is no connector to show.
-- name: AddConnector :one
INSERT INTO connectors (charge_point_key, evse_id, connector_id, is_shown)
VALUES (@charge_point_key, @evse_id, @connector_id, iif(@evse_id > 0 AND @connector_id = 0, 0, 1))
RETURNING *;

-- How many connectors a charge point has named.
-- name: CountConnectors :one
SELECT count(*) FROM connectors WHERE charge_point_key = @charge_point_key;

-- Store a connector's status (OCPP 1.6, 4.9) and the session it belongs to.
-- name: SetConnectorStatus :exec
UPDATE connectors
SET status = @status, error_code = @error_code, info = @info, vendor_id = @vendor_id,
    vendor_error_code = @vendor_error_code, status_at = @status_at, status_received_at = @status_received_at,
    status_began_at =
        CASE WHEN status = @status THEN coalesce(status_began_at, @status_received_at) ELSE @status_received_at END,
    session_correlation_id = @session_correlation_id, reported_status = @reported_status,
    status_changes = @status_changes
WHERE key = @key;

-- Note a status that was older than what was told before, and is not stored.
-- name: NoteStaleStatus :exec
UPDATE connectors SET stale_status_at = @stale_status_at, stale_status_received_at = @stale_status_received_at
WHERE key = @key;

-- Forget up to when a connector's charge point has told of its transactions: its clock was set back.
-- name: ForgetToldTimes :exec
UPDATE connectors
SET newest_start_at = NULL, newest_stop_at = NULL, stale_status_at = NULL, stale_status_received_at = NULL
WHERE key = @key;

-- Say which session a connector is in, and that a transaction of it began.
-- name: BeginConnectorSession :exec
UPDATE connectors
SET session_correlation_id = @session_correlation_id,
    newest_start_at = max(coalesce(newest_start_at, CAST(@began_at AS INTEGER)), CAST(@began_at AS INTEGER))
WHERE key = @key;

-- Say that its charge point stopped a transaction of a connector, and end the session, unless it is in a newer one.
-- name: StopConnectorSession :exec
UPDATE connectors
SET newest_stop_at = max(coalesce(newest_stop_at, CAST(@ended_at AS INTEGER)), CAST(@ended_at AS INTEGER)),
    session_correlation_id =
        CASE WHEN session_correlation_id = @session_correlation_id THEN NULL ELSE session_correlation_id END
WHERE key = @key;

-- End a connector's session, unless it is in a newer one.
-- name: EndConnectorSession :exec
UPDATE connectors SET session_correlation_id = NULL
WHERE key = @key AND session_correlation_id = @session_correlation_id;

-- The connectors of some charge points, each with its open transaction. Few of those with EVSEs tell of the station as a
-- whole, (0, 0): where nothing is known of it, it is none.
-- name: ListConnectors :many
SELECT c.charge_point_key, c.evse_id, c.connector_id, c.status, c.error_code, c.status_at, c.status_began_at,
    c.ordered_availability, c.session_correlation_id, c.reported_status, t.id AS transaction_id, t.ocpp_transaction_id,
    t.id_tag AS transaction_id_tag, t.started_at AS transaction_started_at
FROM connectors AS c
LEFT JOIN transactions AS t ON t.id = (
    SELECT max(o.id) FROM transactions AS o WHERE o.connector_key = c.key AND o.stopped_at IS NULL
)
WHERE c.charge_point_key IN (sqlc.slice(charge_point_keys)) AND c.is_shown = 1
    AND (c.connector_id > 0 OR c.evse_id > 0 OR c.status IS NOT NULL OR c.ordered_at IS NOT NULL OR t.id IS NOT NULL
        OR NOT EXISTS (SELECT p.key FROM charge_points AS p WHERE p.key = c.charge_point_key AND p.has_evses = 1))
ORDER BY c.charge_point_key, c.evse_id, c.connector_id;

-- Keep the availability that a connector was ordered to have (OCPP 1.6, 5.2).
-- name: OrderAvailability :exec
UPDATE connectors SET ordered_availability = @ordered_availability, ordered_at = @ordered_at WHERE key = @key;

-- As OrderAvailability, of a charge point and all its connectors.
-- name: OrderAvailabilityOfAll :exec
UPDATE connectors SET ordered_availability = @ordered_availability, ordered_at = @ordered_at
WHERE charge_point_key = @charge_point_key;

-- As OrderAvailability, of an EVSE and all its connectors.
-- name: OrderAvailabilityOfEvse :exec
UPDATE connectors SET ordered_availability = @ordered_availability, ordered_at = @ordered_at
WHERE charge_point_key = @charge_point_key AND evse_id = @evse_id;
