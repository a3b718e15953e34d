-- The transactions that a charge point gave this id, the last one that began first; of many the last two.
-- name: ListTransactionsByOcppId :many
SELECT * FROM transactions WHERE charge_point_key = @charge_point_key AND ocpp_transaction_id = @ocpp_transaction_id
ORDER BY started_at DESC LIMIT 2;

-- Store a transaction whose charger gave it an id; returns it.
-- name: AddToldTransaction :one
INSERT INTO transactions (
    charge_point_key, connector_key, evse_id, connector_id, ocpp_transaction_id, id_tag, meter_start, started_at,
    start_received_at, session_correlation_id
)
VALUES (
    @charge_point_key, @connector_key, @evse_id, @connector_id, @ocpp_transaction_id, '', -1, @started_at,
    @start_received_at, @session_correlation_id
)
RETURNING *;

-- Begin to note what its events tell.
-- name: AddTransactionState :exec
INSERT INTO transaction_states (transaction_id) VALUES (@transaction_id);

-- What a transaction's events have told of it so far.
-- name: GetTransactionState :one
SELECT * FROM transaction_states WHERE transaction_id = @transaction_id;

-- Note an event; a repeat changes nothing.
-- name: AddTransactionEvent :execrows
INSERT INTO transaction_events (
    transaction_id, happened_at, seq_no, kind, trigger_reason, charging_state, id_tag, id_tag_type, is_offline,
    received_at
)
VALUES (
    @transaction_id, @happened_at, @seq_no, @kind, @trigger_reason, @charging_state, @id_tag, @id_tag_type,
    @is_offline, @received_at
)
ON CONFLICT DO NOTHING;

-- The events of a transaction in the order of their times.
-- name: ListTransactionEvents :many
SELECT happened_at, seq_no, kind, trigger_reason, charging_state, id_tag, id_tag_type, is_offline, received_at
FROM transaction_events WHERE transaction_id = @transaction_id ORDER BY happened_at, seq_no;

-- The first of a transaction's events that tells of its beginning.
-- name: FindStartedEvent :one
SELECT happened_at FROM transaction_events WHERE transaction_id = @transaction_id AND kind = 'started'
ORDER BY happened_at LIMIT 1;

-- When the newest of a transaction's events happened that tells a charging state.
-- name: FindNewestStateAt :one
SELECT happened_at FROM transaction_events WHERE transaction_id = @transaction_id AND charging_state <> ''
ORDER BY happened_at DESC LIMIT 1;

-- The first token that was told of a transaction; that of its end last.
-- name: FindFirstToken :one
SELECT id_tag, id_tag_type FROM transaction_events WHERE transaction_id = @transaction_id AND id_tag <> ''
ORDER BY kind = 'ended', happened_at, seq_no LIMIT 1;

-- Say on which connector a transaction is, and in which session.
-- name: MoveTransaction :exec
UPDATE transactions
SET connector_key = @connector_key, evse_id = @evse_id, connector_id = @connector_id,
    session_correlation_id = @session_correlation_id
WHERE id = @id;

-- Say when a transaction began.
-- name: SetTransactionStart :exec
UPDATE transactions SET started_at = @started_at WHERE id = @id;

-- Say which register a transaction began with.
-- name: SetMeterStart :exec
UPDATE transactions SET meter_start = @meter_start WHERE id = @id;

-- Say how well that is known.
-- name: SetMeterStartBasis :exec
UPDATE transaction_states SET meter_start_at = @meter_start_at, meter_start_basis = @meter_start_basis
WHERE transaction_id = @transaction_id;

-- Say whose token a transaction has; known_at: when that became known, where it has ended already.
-- name: SetTransactionToken :exec
UPDATE transactions
SET id_tag = @id_tag, stop_received_at = CASE WHEN stopped_at IS NULL THEN NULL ELSE CAST(@known_at AS INTEGER) END
WHERE id = @id;

-- Say of what type that token is.
-- name: SetTokenType :exec
UPDATE transaction_states SET id_tag_type = @id_tag_type WHERE transaction_id = @transaction_id;

-- Say which reservation a transaction names.
-- name: SetReservationOfTransaction :exec
UPDATE transactions SET reservation_id = @reservation_id WHERE id = @id;

-- Say which command asked for a transaction.
-- name: SetRemoteStart :exec
UPDATE transaction_states SET remote_start_id = @remote_start_id WHERE transaction_id = @transaction_id;

-- Note the newest charging state.
-- name: SetChargingState :exec
UPDATE transaction_states SET charging_state = @charging_state, charging_state_at = @charging_state_at
WHERE transaction_id = @transaction_id;

-- Store the register and the energy of a transaction that its charger has ended, by what became known since.
-- name: AmendTransaction :exec
UPDATE transactions
SET meter_stop = @meter_stop, energy_wh = @energy_wh, implausible_reason = @implausible_reason, evidence = @evidence
WHERE id = @id;

-- The connectors of an EVSE, and the EVSE as a whole, in the order of their numbers.
-- name: ListConnectorsOfEvse :many
SELECT * FROM connectors WHERE charge_point_key = @charge_point_key AND evse_id = @evse_id ORDER BY connector_id;

-- The transactions that run on an EVSE.
-- name: ListOpenOnEvse :many
SELECT t.*
FROM connectors AS c
JOIN transactions AS t ON t.connector_key = c.key
WHERE c.charge_point_key = @charge_point_key AND c.evse_id = @evse_id AND t.stopped_at IS NULL
ORDER BY t.started_at, t.id;

-- Whether a charge point speaks a version that has EVSEs.
-- name: HasEvses :one
SELECT has_evses FROM charge_points WHERE key = @key;

-- Say that it does, or doesn't.
-- name: SetHasEvses :exec
UPDATE charge_points SET has_evses = @has_evses WHERE key = @key;

-- Show the connectors that a charge point has in the version that it speaks, and no others.
-- name: ShowConnectors :exec
UPDATE connectors
SET is_shown = iif(
    evse_id = 0,
    connector_id = 0 OR NOT CAST(@has_evses AS INTEGER),
    connector_id > 0 AND CAST(@has_evses AS INTEGER)
)
WHERE charge_point_key = @charge_point_key;

-- The open transactions of charge points that may be asked about them, whose grace period began up to a time.
-- name: ListDoubtedTold :many
SELECT t.id, t.charge_point_key, t.ocpp_transaction_id, p.identity
FROM transactions AS t
JOIN charge_points AS p ON p.key = t.charge_point_key
WHERE t.grace_began_at <= @began_until AND t.stopped_at IS NULL AND t.ocpp_transaction_id IS NOT NULL
    AND p.has_evses = 1
ORDER BY t.grace_began_at, t.id;
