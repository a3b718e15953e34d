-- Name a kind of sample that was not seen before; returns its key.
-- name: AddSampleKind :one
INSERT INTO sample_kinds (measurand, phase, unit, context, location, format)
VALUES (@measurand, @phase, @unit, @context, @location, @format)
ON CONFLICT (measurand, phase, unit, context, location, format) DO UPDATE SET measurand = excluded.measurand
RETURNING id;

-- The key of a kind of sample, where it was seen before.
-- name: FindSampleKind :one
SELECT id FROM sample_kinds
WHERE measurand = @measurand AND phase = @phase AND unit = @unit AND context = @context AND location = @location
    AND format = @format;

-- The key of the newest kind; they are never deleted, so it is about how many there are.
-- name: NewestSampleKind :one
SELECT id FROM sample_kinds ORDER BY id DESC LIMIT 1;

-- Store the samples of moments in a transaction, but for moments that have some already.
-- name: AddTransactionReadings :batchexec
INSERT INTO transaction_readings (transaction_id, measured_at, late_sample, position, samples, energy, origin, received_at)
VALUES (@transaction_id, @measured_at, '', 0, @samples, @energy, @origin, @received_at)
ON CONFLICT DO NOTHING;

-- The same for many moments in one statement; readings: a JSON list of lists of measured_at, samples, energy.
-- name: AddManyTransactionReadings :execrows
INSERT INTO transaction_readings (transaction_id, measured_at, late_sample, position, samples, energy, origin, received_at)
SELECT
    @transaction_id, json_extract(e.value, '$[0]'), '', 0, json_extract(e.value, '$[1]'), json_extract(e.value, '$[2]'),
    @origin, @received_at
FROM json_each(CAST(@readings AS TEXT)) AS e
WHERE TRUE
ON CONFLICT DO NOTHING;

-- Store samples of moments in a transaction that have some already; those they have change nothing.
-- readings: a JSON list of lists of measured_at, late_sample, position, energy.
-- name: AddLateTransactionSamples :execrows
INSERT INTO transaction_readings (transaction_id, measured_at, late_sample, position, samples, energy, origin, received_at)
SELECT
    @transaction_id, json_extract(e.value, '$[0]'), json_extract(e.value, '$[1]'), json_extract(e.value, '$[2]'),
    json_array(json_extract(e.value, '$[1]')), json_extract(e.value, '$[3]'), @origin, @received_at
FROM json_each(CAST(@readings AS TEXT)) AS e
WHERE NOT EXISTS (
    SELECT 1 FROM transaction_readings AS r, json_each(r.samples) AS known
    WHERE r.transaction_id = @transaction_id AND r.measured_at = json_extract(e.value, '$[0]') AND r.late_sample = ''
        AND known.value = json_extract(e.value, '$[1]')
)
ON CONFLICT DO NOTHING;

-- Store the samples of moments outside of transactions, but for moments that have some already.
-- name: AddConnectorReadings :batchexec
INSERT INTO connector_readings (connector_key, measured_at, late_sample, position, samples, received_at)
VALUES (@connector_key, @measured_at, '', 0, @samples, @received_at)
ON CONFLICT DO NOTHING;

-- The same for many moments in one statement; readings: a JSON list of lists of measured_at, samples.
-- name: AddManyConnectorReadings :execrows
INSERT INTO connector_readings (connector_key, measured_at, late_sample, position, samples, received_at)
SELECT @connector_key, json_extract(e.value, '$[0]'), '', 0, json_extract(e.value, '$[1]'), @received_at
FROM json_each(CAST(@readings AS TEXT)) AS e
WHERE TRUE
ON CONFLICT DO NOTHING;

-- Store samples of moments outside of transactions that have some already; those they have change nothing.
-- readings: a JSON list of lists of measured_at, late_sample, position.
-- name: AddLateConnectorSamples :exec
INSERT INTO connector_readings (connector_key, measured_at, late_sample, position, samples, received_at)
SELECT
    @connector_key, json_extract(e.value, '$[0]'), json_extract(e.value, '$[1]'), json_extract(e.value, '$[2]'),
    json_array(json_extract(e.value, '$[1]')), @received_at
FROM json_each(CAST(@readings AS TEXT)) AS e
WHERE NOT EXISTS (
    SELECT 1 FROM connector_readings AS r, json_each(r.samples) AS known
    WHERE r.connector_key = @connector_key AND r.measured_at = json_extract(e.value, '$[0]') AND r.late_sample = ''
        AND known.value = json_extract(e.value, '$[1]')
)
ON CONFLICT DO NOTHING;

-- What speaks of energy in a transaction, up to a time, in the order of time.
-- name: ListEnergyReadings :many
SELECT measured_at, energy, origin, received_at FROM transaction_readings
WHERE transaction_id = @transaction_id AND measured_at <= @until AND energy IS NOT NULL
ORDER BY measured_at, late_sample;

-- A kind of sample by its key.
-- name: GetSampleKind :one
SELECT * FROM sample_kinds WHERE id = @id;

-- The samples of a transaction in the order of time, then as sent, a page at a time.
-- name: ListTransactionSamples :many
SELECT s.measured_at, s.position, s.kind_id, s.value, k.measurand, k.phase, k.unit, k.context, k.location, k.format
FROM transaction_samples AS s
CROSS JOIN sample_kinds AS k ON k.id = s.kind_id
WHERE s.transaction_id = @transaction_id AND s.measured_at >= @measured_at
    AND (
        s.measured_at > @measured_at OR s.position > @position
        OR (s.position = @position AND (s.kind_id > @kind_id OR (s.kind_id = @kind_id AND s.value > @value)))
    )
ORDER BY s.measured_at, s.position, s.kind_id, s.value
LIMIT @page_size;

-- The readings of a transaction in the order of time, a page at a time behind one.
-- name: ListReadings :many
SELECT measured_at, late_sample, samples, origin, received_at FROM transaction_readings
WHERE transaction_id = @transaction_id AND measured_at >= @after
    AND (measured_at > @after OR late_sample > @after_late_sample)
ORDER BY measured_at, late_sample
LIMIT @page_size;

-- When a transaction's reading behind so many others was measured.
-- name: FindReading :one
SELECT measured_at FROM transaction_readings WHERE transaction_id = @transaction_id
ORDER BY measured_at
LIMIT 1 OFFSET @skipped;

-- When a transaction's newest reading was measured.
-- name: FindNewestReading :one
SELECT measured_at FROM transaction_readings WHERE transaction_id = @transaction_id ORDER BY measured_at DESC LIMIT 1;

-- The least and the greatest number that samples of one kind have in each of some spans of time of a transaction.
-- spans: as below; needle: a quote, the key of the kind and a blank, which stand before the value.
-- name: ListExtremes :many
SELECT
    CAST(json_extract(s.value, '$[0]') AS INTEGER) AS begin_at,
    CAST(coalesce(min(CAST(substr(r.samples, instr(r.samples, CAST(@needle AS TEXT)) + length(CAST(@needle AS TEXT))) AS REAL)), 0) AS REAL) AS least,
    CAST(coalesce(max(CAST(substr(r.samples, instr(r.samples, CAST(@needle AS TEXT)) + length(CAST(@needle AS TEXT))) AS REAL)), 0) AS REAL) AS greatest
FROM json_each(CAST(@spans AS TEXT)) AS s
CROSS JOIN transaction_readings AS r
WHERE r.transaction_id = @transaction_id
    AND r.measured_at >= json_extract(s.value, '$[0]') AND r.measured_at < json_extract(s.value, '$[1]')
    AND instr(r.samples, CAST(@needle AS TEXT)) > 0
    AND substr(r.samples, instr(r.samples, CAST(@needle AS TEXT)) + length(CAST(@needle AS TEXT)), 1) BETWEEN '0' AND '9'
    AND CAST(substr(r.samples, instr(r.samples, CAST(@needle AS TEXT)) + length(CAST(@needle AS TEXT))) AS REAL) <= CAST(@most AS REAL)
GROUP BY s.key;

-- The last moment of a transaction in each of some spans of time, however many there are in it.
-- spans: a JSON list of lists of two times, the second outside of the span.
-- name: ListLastReadings :many
SELECT r.measured_at, r.late_sample, r.samples, r.origin, r.received_at
FROM json_each(CAST(@spans AS TEXT)) AS s
CROSS JOIN transaction_readings AS r
WHERE r.transaction_id = @transaction_id AND r.measured_at = (
    SELECT l.measured_at FROM transaction_readings AS l
    WHERE l.transaction_id = @transaction_id
        AND l.measured_at >= json_extract(s.value, '$[0]') AND l.measured_at < json_extract(s.value, '$[1]')
    ORDER BY l.measured_at DESC LIMIT 1
)
ORDER BY r.measured_at, r.late_sample;
