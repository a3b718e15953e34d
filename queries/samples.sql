-- Name a kind of sample that was not seen before; returns its key.
-- name: AddSampleKind :one
INSERT INTO sample_kinds (measurand, phase, unit, context, location, format)
VALUES (@measurand, @phase, @unit, @context, @location, @format)
ON CONFLICT (measurand, phase, unit, context, location, format) DO UPDATE SET measurand = excluded.measurand
RETURNING id;

-- Store samples of a transaction; a repeat changes nothing.
-- name: AddTransactionSamples :batchexec
INSERT INTO transaction_samples (transaction_id, measured_at, kind_id, value, position, received_at)
VALUES (@transaction_id, @measured_at, @kind_id, @value, @position, @received_at)
ON CONFLICT DO NOTHING;

-- Store samples that no transaction was running for; a repeat changes nothing.
-- name: AddConnectorSamples :batchexec
INSERT INTO connector_samples (connector_key, measured_at, kind_id, value, position, received_at)
VALUES (@connector_key, @measured_at, @kind_id, @value, @position, @received_at)
ON CONFLICT DO NOTHING;

-- The samples of one measurand in a transaction up to a time, the newest first.
-- name: FindNewestSamples :many
SELECT s.measured_at, s.value, k.unit, k.phase, k.context, k.location, k.format
FROM transaction_samples AS s
JOIN sample_kinds AS k ON k.id = s.kind_id
WHERE s.transaction_id = @transaction_id AND s.measured_at <= @until AND k.measurand = @measurand
ORDER BY s.measured_at DESC, s.position DESC
LIMIT @row_limit;

-- The samples of a transaction in the order of time, then as sent, a page at a time.
-- name: ListTransactionSamples :many
SELECT s.measured_at, s.position, s.kind_id, s.value, k.measurand, k.phase, k.unit, k.context, k.location, k.format
FROM transaction_samples AS s
JOIN sample_kinds AS k ON k.id = s.kind_id
WHERE s.transaction_id = @transaction_id AND s.measured_at >= @measured_at
    AND (
        s.measured_at > @measured_at OR s.position > @position
        OR (s.position = @position AND (s.kind_id > @kind_id OR (s.kind_id = @kind_id AND s.value > @value)))
    )
ORDER BY s.measured_at, s.position, s.kind_id, s.value
LIMIT @page_size;
