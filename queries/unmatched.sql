-- Keep a stop or meter values that belong to no known transaction; a repeat changes nothing.
-- name: AddUnmatched :execrows
INSERT INTO unmatched (charge_point_key, kind, ocpp_version, claimed_transaction_id, payload, received_at)
VALUES (@charge_point_key, @kind, @ocpp_version, @claimed_transaction_id, @payload, @received_at)
ON CONFLICT DO NOTHING;

-- One of them as the API shows it.
-- name: GetUnmatched :one
SELECT * FROM unmatched_records WHERE id = @id;

-- All of them, the newest first, a page at a time.
-- name: ListUnmatched :many
SELECT * FROM unmatched_records WHERE id < @before_id ORDER BY id DESC LIMIT @page_size;

-- Forget one of them.
-- name: DeleteUnmatched :execrows
DELETE FROM unmatched WHERE id = @id;
