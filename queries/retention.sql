-- The ended transaction that began first of those whose samples are kept whole and that ended before a time.
-- name: FindUnthinned :one
SELECT id FROM transactions
WHERE stopped_at IS NOT NULL AND samples_thinned = 0 AND start_received_at < @before_at
    AND (stop_received_at IS NULL OR stop_received_at < @before_at)
ORDER BY start_received_at LIMIT 1;

-- Say that a transaction keeps no samples but those of its energy.
-- name: SetThinned :exec
UPDATE transactions SET samples_thinned = 1 WHERE id = @id;

-- Say that a transaction that was thinned has samples again.
-- name: SetUnthinned :exec
UPDATE transactions SET samples_thinned = 0 WHERE id = @id AND samples_thinned = 1;

-- The moment of a transaction's reading that comes so many after a moment; no row where there are fewer.
-- name: FindReadingAfter :one
SELECT measured_at FROM transaction_readings
WHERE transaction_id = @transaction_id AND measured_at > @after_at
ORDER BY measured_at LIMIT 1 OFFSET @row_offset;

-- Delete what speaks of no energy in a transaction, in a span of time.
-- name: DeleteReadingsWithoutEnergy :execrows
DELETE FROM transaction_readings
WHERE transaction_id = @transaction_id AND measured_at > @after_at AND measured_at <= @until_at AND energy IS NULL;

-- The readings of a transaction that speak of energy, in a span of time, those that came first at each moment.
-- name: ListReadingsWithEnergy :many
SELECT measured_at, samples, energy FROM transaction_readings
WHERE transaction_id = @transaction_id AND measured_at > @after_at AND measured_at <= @until_at
    AND late_sample = '' AND energy IS NOT NULL
ORDER BY measured_at;

-- Leave only these samples in readings of a transaction.
-- name: SetSamples :batchexec
UPDATE transaction_readings SET samples = @samples
WHERE transaction_id = @transaction_id AND measured_at = @measured_at AND late_sample = '';

-- Delete the readings of a transaction up to a moment.
-- name: DeleteReadings :execrows
DELETE FROM transaction_readings WHERE transaction_id = @transaction_id AND measured_at <= @until_at;

-- The connector that comes next by its key.
-- name: FindNextConnector :one
SELECT key FROM connectors WHERE key > @after_key ORDER BY key LIMIT 1;

-- The connectors of a charge point, by their keys.
-- name: ListConnectorKeys :many
SELECT key FROM connectors WHERE charge_point_key = @charge_point_key ORDER BY key;

-- As FindReadingAfter, of what a connector has outside of transactions.
-- name: FindConnectorReadingAfter :one
SELECT measured_at FROM connector_readings
WHERE connector_key = @connector_key AND measured_at > @after_at
ORDER BY measured_at LIMIT 1 OFFSET @row_offset;

-- Delete what a connector has outside of transactions, of a span of time, as far as it came before a time.
-- name: DeleteConnectorReadings :execrows
DELETE FROM connector_readings
WHERE connector_key = @connector_key AND measured_at > @after_at AND measured_at <= @until_at
    AND received_at < @before_at;

-- The first of a charge point's ended transactions.
-- name: FindFirstEnded :one
SELECT id FROM transactions
WHERE charge_point_key = @charge_point_key AND stopped_at IS NOT NULL
ORDER BY started_at, id LIMIT 1;

-- Delete a transaction with all that is its own.
-- name: DeleteTransaction :exec
DELETE FROM transactions WHERE id = @id;
