-- Keep meter values that belong to no known transaction; a repeat changes nothing.
-- name: AddUnmatched :execrows
INSERT INTO unmatched (
    charge_point_key, kind, ocpp_version, claimed_transaction_id, payload, payload_bytes, payload_digest, received_at
)
VALUES (
    @charge_point_key, @kind, @ocpp_version, @claimed_transaction_id, @payload, @payload_bytes, @payload_digest,
    @received_at
)
ON CONFLICT DO NOTHING;

-- Keep a stop that names no transaction which could be its own; a repeat changes nothing. transaction_id: whose end it
-- became by a guess.
-- name: AddUnmatchedStop :execrows
INSERT INTO unmatched (
    charge_point_key, kind, ocpp_version, claimed_transaction_id, payload, payload_bytes, payload_digest,
    received_at, stopped_at, meter_stop, id_tag, stop_reason, transaction_id
)
VALUES (
    @charge_point_key, 'stop', @ocpp_version, @claimed_transaction_id, @payload, @payload_bytes, @payload_digest,
    @received_at, @stopped_at, @meter_stop, @id_tag, @stop_reason, @transaction_id
)
ON CONFLICT DO NOTHING;

-- The stops of a charge point that ended no transaction yet, the newest first.
-- name: ListWaitingStops :many
SELECT * FROM unmatched WHERE charge_point_key = @charge_point_key AND kind = 'stop' AND transaction_id IS NULL
ORDER BY id DESC LIMIT @row_limit;

-- The stops of a charge point that were kept, in a span of time, whether they ended a transaction or not.
-- name: ListKeptStops :many
SELECT * FROM unmatched
WHERE charge_point_key = @charge_point_key AND kind = 'stop' AND stopped_at >= @since AND stopped_at <= @until
ORDER BY stopped_at DESC, id DESC LIMIT @row_limit;

-- The kept stops that a transaction's end was taken from.
-- name: ListStopsOfTransaction :many
SELECT * FROM unmatched WHERE transaction_id = @transaction_id ORDER BY id;

-- Say which transaction a kept stop ended; NULL for none any more.
-- name: SetTransactionOfStop :exec
UPDATE unmatched SET transaction_id = @transaction_id WHERE id = @id AND kind = 'stop';

-- One of them as the API shows it.
-- name: GetUnmatched :one
SELECT * FROM unmatched_records WHERE id = @id;

-- All of them, the newest first, a page at a time.
-- name: ListUnmatched :many
SELECT * FROM unmatched_records WHERE id < @before_id ORDER BY id DESC LIMIT @page_size;

-- Those of a charge point, the newest first.
-- name: ListUnmatchedOf :many
SELECT * FROM unmatched_records WHERE charge_point_id = @charge_point_id ORDER BY id DESC LIMIT @row_limit;

-- Forget one of them.
-- name: DeleteUnmatched :execrows
DELETE FROM unmatched WHERE id = @id AND transaction_id IS NULL;

-- How many a charge point has, and how large their payloads are together.
-- name: SizeOfUnmatched :one
SELECT count(*) AS records, CAST(coalesce(sum(payload_bytes), 0) AS INTEGER) AS payload_bytes
FROM unmatched WHERE charge_point_key = @charge_point_key;

-- The one of a charge point that is missed least: the oldest meter values, else the oldest stop that ended a
-- transaction, else the oldest stop.
-- name: FindDispensableUnmatched :one
SELECT id, kind, payload_bytes, received_at FROM unmatched WHERE charge_point_key = @charge_point_key
ORDER BY kind = 'stop', transaction_id IS NULL, id LIMIT 1;

-- Forget one, whether it ended a transaction or not.
-- name: DropUnmatched :exec
DELETE FROM unmatched WHERE id = @id;
