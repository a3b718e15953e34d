-- The newest transaction that began just so: on the same connector, at the same time, with the same id tag and register.
-- name: FindStart :one
SELECT * FROM transactions
WHERE connector_key = @connector_key AND started_at = @started_at AND id_tag = @id_tag AND meter_start = @meter_start
ORDER BY id DESC LIMIT 1;

-- Store the start of a transaction; returns its id.
-- name: AddTransaction :one
INSERT INTO transactions (
    charge_point_key, connector_key, connector_id, id_tag, reservation_id, meter_start, started_at,
    start_received_at, session_correlation_id
)
VALUES (
    @charge_point_key, @connector_key, @connector_id, @id_tag,
    @reservation_id, @meter_start, @started_at, @start_received_at, @session_correlation_id
)
RETURNING id;

-- Store a start that is older than what its charger told before, as one that is over: its own register and time stand for
-- its end until that is known better. Returns its id.
-- name: AddPastTransaction :one
INSERT INTO transactions (
    charge_point_key, connector_key, connector_id, id_tag, reservation_id, meter_start, started_at,
    start_received_at, session_correlation_id, meter_stop, stopped_at, stop_origin, energy_wh
)
VALUES (
    @charge_point_key, @connector_key, @connector_id, @id_tag,
    @reservation_id, @meter_start, @started_at, @start_received_at, @session_correlation_id,
    @meter_start, @started_at, 'recovered', 0
)
RETURNING id;

-- One transaction by its id, as the domain works with it.
-- name: FindTransaction :one
SELECT * FROM transactions WHERE id = @id;

-- The transaction that runs on a connector.
-- name: FindOpenOnConnector :one
SELECT * FROM transactions WHERE connector_key = @connector_key AND stopped_at IS NULL;

-- The transactions that run on a charge point, the newest first; found by its connectors, not in all its history.
-- name: FindOpenOnChargePoint :many
SELECT t.*
FROM connectors AS c
JOIN transactions AS t ON t.connector_key = c.key
WHERE c.charge_point_key = @charge_point_key AND t.stopped_at IS NULL
ORDER BY t.started_at DESC, t.id DESC;

-- The transactions that run for an id tag, anywhere; one that is suspected to be over doesn't lock its tag out.
-- name: FindOpenOfIdTag :many
SELECT * FROM transactions WHERE id_tag = @id_tag AND stopped_at IS NULL AND suspicion IS NULL ORDER BY started_at DESC, id DESC;

-- As FindOpenOfIdTag, for all id tags that begin alike.
-- name: FindOpenOfIdTagsBeginning :many
SELECT * FROM transactions
WHERE substr(id_tag, 1, length(CAST(@beginning AS TEXT))) = CAST(@beginning AS TEXT) COLLATE NOCASE
    AND stopped_at IS NULL AND suspicion IS NULL
ORDER BY started_at DESC, id DESC;

-- The newest transaction that had begun on a connector at a time, ended or not.
-- name: FindOnConnectorAt :one
SELECT * FROM transactions WHERE connector_key = @connector_key AND started_at <= @at
ORDER BY started_at DESC, id DESC LIMIT 1;

-- The transactions that began on a connector after a time, the oldest first.
-- name: ListStartedAfter :many
SELECT * FROM transactions WHERE connector_key = @connector_key AND started_at > @started_at
ORDER BY started_at, id LIMIT @row_limit;

-- Transactions that came after another of their connector, but began before a time when no clock can have been right.
-- name: ListStartedByUnsetClock :many
SELECT * FROM transactions WHERE connector_key = @connector_key AND started_at < @unset_before AND id > @after_id
ORDER BY started_at DESC, id DESC LIMIT @row_limit;

-- The newest transactions of a charge point that recovery closed.
-- name: ListRecoveredOfChargePoint :many
SELECT * FROM transactions WHERE charge_point_key = @charge_point_key AND stop_origin = 'recovered'
ORDER BY id DESC LIMIT @row_limit;

-- The transactions of a charge point that it stopped itself in a span of time, the newest first.
-- name: ListStoppedByCharger :many
SELECT * FROM transactions
WHERE charge_point_key = @charge_point_key AND stop_origin = 'charger' AND stopped_at >= @since AND stopped_at <= @until
ORDER BY stopped_at DESC, id DESC LIMIT @row_limit;

-- What a connector's newest transactions took, as far as their charger said it, naming them.
-- name: ListDeliveries :many
SELECT energy_wh, started_at, stopped_at FROM transactions
WHERE connector_key = @connector_key AND stop_match = 'named' AND implausible_reason IS NULL AND energy_wh > 0
ORDER BY started_at DESC, id DESC LIMIT @row_limit;

-- Store the end of a transaction, unless its own charger ended it before; 0 rows then. What recovery or an operator
-- stored yields to the charger's word; and a guess, whose word it was, to a stop that names the transaction or a person.
-- name: CloseTransaction :execrows
UPDATE transactions
SET meter_stop = @meter_stop, stopped_at = @stopped_at, stop_received_at = @stop_received_at,
    stop_id_tag = @stop_id_tag, stop_reason = @stop_reason, stop_origin = @stop_origin, stop_match = @stop_match,
    evidence = @evidence, energy_wh = @energy_wh, implausible_reason = @implausible_reason, suspicion = NULL,
    suspicion_at = NULL, grace_began_at = NULL
WHERE id = @id
    AND (
        stopped_at IS NULL OR stop_origin <> 'charger'
        OR (stop_match = 'guessed' AND (@stop_match = 'named' OR @stop_origin = 'operator'))
    );

-- Keep what a person says that a transaction took; returns its key.
-- name: AddCorrection :one
INSERT INTO transaction_corrections (transaction_id, energy_wh, note, who, corrected_at)
VALUES (@transaction_id, @energy_wh, @note, @who, @corrected_at)
RETURNING id;

-- Let a correction count.
-- name: SetCorrection :exec
UPDATE transactions SET correction_id = @correction_id WHERE id = @id;

-- How many transactions are open.
-- name: CountOpenTransactions :one
SELECT count(*) FROM transactions WHERE stopped_at IS NULL;

-- One transaction as the API shows it.
-- name: GetTransaction :one
SELECT * FROM transaction_records WHERE transaction_id = @transaction_id;

-- Transactions that began in a span of time, the newest first, a page at a time before a transaction.
-- name: ListTransactions :many
SELECT * FROM transaction_records
WHERE started_at >= @since AND started_at <= @before AND (started_at < @before OR transaction_id < @before_id)
    AND (stopped_at IS NOT NULL OR CAST(@closed_only AS INTEGER) = 0)
    AND (evse_id = sqlc.narg(evse_id) OR sqlc.narg(evse_id) IS NULL)
ORDER BY started_at DESC, transaction_id DESC
LIMIT @page_size;

-- As ListTransactions, of the connectors of one number, on any charge point.
-- name: ListTransactionsOfConnectorId :many
SELECT * FROM transaction_records
WHERE connector_id = @connector_id
    AND started_at >= @since AND started_at <= @before AND (started_at < @before OR transaction_id < @before_id)
    AND (stopped_at IS NOT NULL OR CAST(@closed_only AS INTEGER) = 0)
    AND (evse_id = sqlc.narg(evse_id) OR sqlc.narg(evse_id) IS NULL)
ORDER BY started_at DESC, transaction_id DESC
LIMIT @page_size;

-- As ListTransactions, of one charge point.
-- name: ListTransactionsOfChargePoint :many
SELECT * FROM transaction_records
WHERE charge_point_id = @charge_point_id
    AND started_at >= @since AND started_at <= @before AND (started_at < @before OR transaction_id < @before_id)
    AND (id_tag = sqlc.narg(id_tag) OR sqlc.narg(id_tag) IS NULL)
    AND (stopped_at IS NOT NULL OR CAST(@closed_only AS INTEGER) = 0)
    AND (evse_id = sqlc.narg(evse_id) OR sqlc.narg(evse_id) IS NULL)
ORDER BY started_at DESC, transaction_id DESC
LIMIT @page_size;

-- The EVSEs of a charge point that have a connector of some number; 0 where its version has connectors only.
-- name: ListEvsesWithConnector :many
SELECT c.evse_id FROM charge_points AS p JOIN connectors AS c ON c.charge_point_key = p.key
WHERE p.identity = @charge_point_id AND c.connector_id = @connector_id ORDER BY c.evse_id;

-- As ListTransactions, of one connector (CROSS JOIN: or SQLite takes the charge point's index).
-- name: ListTransactionsOfConnector :many
SELECT r.*
FROM charge_points AS p
JOIN connectors AS c ON c.charge_point_key = p.key
CROSS JOIN transactions AS t ON t.connector_key = c.key
JOIN transaction_records AS r ON r.transaction_id = t.id
WHERE p.identity = @charge_point_id AND c.evse_id = @evse_id AND c.connector_id = @connector_id
    AND t.started_at >= @since AND t.started_at <= @before AND (t.started_at < @before OR t.id < @before_id)
    AND (t.id_tag = sqlc.narg(id_tag) OR sqlc.narg(id_tag) IS NULL)
    AND (t.stopped_at IS NOT NULL OR CAST(@closed_only AS INTEGER) = 0)
ORDER BY t.started_at DESC, t.id DESC
LIMIT @page_size;

-- As ListTransactions, of one id tag.
-- name: ListTransactionsOfIdTag :many
SELECT * FROM transaction_records
WHERE id_tag = @id_tag
    AND started_at >= @since AND started_at <= @before AND (started_at < @before OR transaction_id < @before_id)
    AND (connector_id = sqlc.narg(connector_id) OR sqlc.narg(connector_id) IS NULL)
    AND (evse_id = sqlc.narg(evse_id) OR sqlc.narg(evse_id) IS NULL)
    AND (stopped_at IS NOT NULL OR CAST(@closed_only AS INTEGER) = 0)
ORDER BY started_at DESC, transaction_id DESC
LIMIT @page_size;

-- As ListTransactions, those that are open: there are no more of them than connectors.
-- name: ListOpenTransactions :many
SELECT * FROM transaction_records
WHERE stopped_at IS NULL
    AND started_at >= @since AND started_at <= @before AND (started_at < @before OR transaction_id < @before_id)
    AND (charge_point_id = sqlc.narg(charge_point_id) OR sqlc.narg(charge_point_id) IS NULL)
    AND (connector_id = sqlc.narg(connector_id) OR sqlc.narg(connector_id) IS NULL)
    AND (evse_id = sqlc.narg(evse_id) OR sqlc.narg(evse_id) IS NULL)
    AND (id_tag = sqlc.narg(id_tag) OR sqlc.narg(id_tag) IS NULL)
ORDER BY started_at DESC, transaction_id DESC
LIMIT @page_size;

-- As ListTransactions, those whose energy is implausible and which nobody has corrected: there are few.
-- name: ListImplausibleTransactions :many
SELECT * FROM transaction_records
WHERE implausible_reason IS NOT NULL AND correction_id IS NULL
    AND started_at >= @since AND started_at <= @before AND (started_at < @before OR transaction_id < @before_id)
    AND (charge_point_id = sqlc.narg(charge_point_id) OR sqlc.narg(charge_point_id) IS NULL)
    AND (connector_id = sqlc.narg(connector_id) OR sqlc.narg(connector_id) IS NULL)
    AND (evse_id = sqlc.narg(evse_id) OR sqlc.narg(evse_id) IS NULL)
    AND (id_tag = sqlc.narg(id_tag) OR sqlc.narg(id_tag) IS NULL)
    AND (stopped_at >= sqlc.narg(ended_since) OR sqlc.narg(ended_since) IS NULL)
    AND (stopped_at < sqlc.narg(ended_until) OR sqlc.narg(ended_until) IS NULL)
ORDER BY started_at DESC, transaction_id DESC
LIMIT @page_size;

-- As ListTransactions, those that were closed by evidence: there are few.
-- name: ListRecoveredTransactions :many
SELECT * FROM transaction_records
WHERE stop_origin = 'recovered'
    AND started_at >= @since AND started_at <= @before AND (started_at < @before OR transaction_id < @before_id)
    AND (charge_point_id = sqlc.narg(charge_point_id) OR sqlc.narg(charge_point_id) IS NULL)
    AND (connector_id = sqlc.narg(connector_id) OR sqlc.narg(connector_id) IS NULL)
    AND (evse_id = sqlc.narg(evse_id) OR sqlc.narg(evse_id) IS NULL)
    AND (id_tag = sqlc.narg(id_tag) OR sqlc.narg(id_tag) IS NULL)
    AND (stopped_at >= sqlc.narg(ended_since) OR sqlc.narg(ended_since) IS NULL)
    AND (stopped_at < sqlc.narg(ended_until) OR sqlc.narg(ended_until) IS NULL)
ORDER BY started_at DESC, transaction_id DESC
LIMIT @page_size;

-- Transactions that ended in a span of time, those that ended last first, a page at a time before a transaction.
-- name: ListTransactionsByEnd :many
SELECT * FROM transaction_records
WHERE stopped_at >= @ended_since AND stopped_at <= @before AND (stopped_at < @before OR transaction_id < @before_id)
    AND started_at >= @since AND (started_at < sqlc.narg(until) OR sqlc.narg(until) IS NULL)
    AND (charge_point_id = sqlc.narg(charge_point_id) OR sqlc.narg(charge_point_id) IS NULL)
    AND (connector_id = sqlc.narg(connector_id) OR sqlc.narg(connector_id) IS NULL)
    AND (evse_id = sqlc.narg(evse_id) OR sqlc.narg(evse_id) IS NULL)
    AND (id_tag = sqlc.narg(id_tag) OR sqlc.narg(id_tag) IS NULL)
ORDER BY stopped_at DESC, transaction_id DESC
LIMIT @page_size;
