-- The transaction that a repeated StartTransaction began: the same connector, time, id tag and register.
-- name: FindStart :one
SELECT * FROM transactions
WHERE connector_id = @connector_id AND started_at = @started_at AND id_tag = @id_tag AND meter_start = @meter_start;

-- Book the start of a transaction; gives its id.
-- name: AddTransaction :one
INSERT INTO transactions (
    charge_point_id, connector_id, id_tag, reservation_id, meter_start, started_at, start_received_at,
    session_correlation_id
)
VALUES (
    @charge_point_id, @connector_id, @id_tag, @reservation_id, @meter_start, @started_at, @start_received_at,
    @session_correlation_id
)
RETURNING id;

-- One transaction by its id, as the domain works with it.
-- name: FindTransaction :one
SELECT * FROM transactions WHERE id = @id;

-- The transaction that runs on a connector.
-- name: FindOpenOnConnector :one
SELECT * FROM transactions WHERE connector_id = @connector_id AND stopped_at IS NULL;

-- The transactions that run on a charge point, the newest first.
-- name: FindOpenOnChargePoint :many
SELECT * FROM transactions WHERE charge_point_id = @charge_point_id AND stopped_at IS NULL
ORDER BY started_at DESC, id DESC;

-- The transactions that run for an id tag, anywhere.
-- name: FindOpenOfIdTag :many
SELECT * FROM transactions WHERE id_tag = @id_tag AND stopped_at IS NULL ORDER BY started_at DESC, id DESC;

-- The newest transaction that had begun on a connector at a time, ended or not.
-- name: FindOnConnectorAt :one
SELECT * FROM transactions WHERE connector_id = @connector_id AND started_at <= @at
ORDER BY started_at DESC, id DESC LIMIT 1;

-- The transaction that a repeated StopTransaction without a usable id ended: the same time and register.
-- name: FindStop :one
SELECT * FROM transactions
WHERE charge_point_id = @charge_point_id AND started_at <= @stopped_at AND stopped_at = @stopped_at
    AND meter_stop = @meter_stop AND stop_origin = 'charger'
ORDER BY started_at DESC, id DESC LIMIT 1;

-- Book the end of a transaction, unless its own charger ended it before; 0 rows then. What was booked by recovery or
-- by an operator gives way to the charger's word.
-- name: CloseTransaction :execrows
UPDATE transactions
SET meter_stop = @meter_stop, stopped_at = @stopped_at, stop_received_at = @stop_received_at,
    stop_id_tag = @stop_id_tag, stop_reason = @stop_reason, stop_origin = @stop_origin, evidence = @evidence,
    energy_implausible = @energy_implausible
WHERE id = @id AND (stopped_at IS NULL OR stop_origin <> 'charger');

-- How many transactions are open.
-- name: CountOpenTransactions :one
SELECT count(*) FROM transactions WHERE stopped_at IS NULL;

-- One transaction as the API shows it.
-- name: GetTransaction :one
SELECT * FROM transaction_records WHERE transaction_id = @transaction_id;
