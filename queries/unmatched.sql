-- Keep a stop or meter values that belong to no known transaction; a repeat changes nothing.
-- name: AddUnmatched :execrows
INSERT INTO unmatched (charge_point_id, kind, claimed_transaction_id, payload, received_at)
VALUES (@charge_point_id, @kind, @claimed_transaction_id, @payload, @received_at)
ON CONFLICT DO NOTHING;
