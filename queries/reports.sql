-- When the first transaction ended in a span of time, or the one behind so many: where the next step of a report begins
-- and ends.
-- name: FindStop :one
SELECT stopped_at FROM transactions
WHERE stopped_at >= @since AND stopped_at <= @until
ORDER BY stopped_at
LIMIT 1 OFFSET @skipped;

-- The transactions that ended in a span of time, summed up by charge point; apart where they count otherwise
-- (mcpp.domain.energy, counted_wh). total() has no overflow. duration_ms: none for one that ended before it began.
-- name: SumUpByCharger :many
SELECT
    p.identity AS subject,
    t.implausible_reason,
    CAST(t.correction_id IS NOT NULL AS INTEGER) AS is_corrected,
    count(*) AS sessions,
    CAST(total(t.energy_wh) AS REAL) AS energy_wh,
    CAST(total(r.energy_wh) AS REAL) AS corrected_wh,
    CAST(total(max(t.stopped_at - t.started_at, 0)) AS REAL) AS duration_ms
FROM transactions AS t
JOIN charge_points AS p ON p.key = t.charge_point_key
LEFT JOIN transaction_corrections AS r ON r.id = t.correction_id
WHERE t.stopped_at >= @since AND t.stopped_at <= @until
GROUP BY t.charge_point_key, t.implausible_reason, t.correction_id IS NOT NULL;

-- As SumUpByCharger, by id tag, whatever its letter case: spelled as the first of them has it, which min(id) tells SQLite.
-- name: SumUpByIdTag :many
SELECT
    t.id_tag AS subject,
    t.implausible_reason,
    CAST(t.correction_id IS NOT NULL AS INTEGER) AS is_corrected,
    count(*) AS sessions,
    CAST(total(t.energy_wh) AS REAL) AS energy_wh,
    CAST(total(r.energy_wh) AS REAL) AS corrected_wh,
    CAST(total(max(t.stopped_at - t.started_at, 0)) AS REAL) AS duration_ms
FROM transactions AS t
LEFT JOIN transaction_corrections AS r ON r.id = t.correction_id
WHERE t.stopped_at >= @since AND t.stopped_at <= @until
GROUP BY t.id_tag, t.implausible_reason, t.correction_id IS NOT NULL
ORDER BY min(t.id);

-- As SumUpByCharger, by the person whose the card was when a session began; '' where it was nobody's.
-- name: SumUpByPerson :many
SELECT
    CAST(coalesce(c.person_id, '') AS TEXT) AS subject,
    t.implausible_reason,
    CAST(t.correction_id IS NOT NULL AS INTEGER) AS is_corrected,
    count(*) AS sessions,
    CAST(total(t.energy_wh) AS REAL) AS energy_wh,
    CAST(total(r.energy_wh) AS REAL) AS corrected_wh,
    CAST(total(max(t.stopped_at - t.started_at, 0)) AS REAL) AS duration_ms
FROM transactions AS t
LEFT JOIN transaction_corrections AS r ON r.id = t.correction_id
LEFT JOIN person_cards AS c ON c.id_tag = t.id_tag AND c.since_at <= t.started_at AND NOT EXISTS (
    SELECT 1 FROM person_cards AS n WHERE n.id_tag = t.id_tag AND n.since_at <= t.started_at AND n.since_at > c.since_at
)
WHERE t.stopped_at >= @since AND t.stopped_at <= @until
GROUP BY c.person_id, t.implausible_reason, t.correction_id IS NOT NULL;

-- The transactions that ended in a span of time, to be priced one by one: with whose card each was when it began, ''
-- where it was nobody's.
-- name: ListEndedInSpan :many
SELECT
    p.identity AS charge_point_id,
    t.id_tag,
    CAST(coalesce(c.person_id, '') AS TEXT) AS person_id,
    t.stopped_at,
    t.energy_wh,
    t.implausible_reason,
    r.energy_wh AS corrected_wh
FROM transactions AS t
JOIN charge_points AS p ON p.key = t.charge_point_key
LEFT JOIN transaction_corrections AS r ON r.id = t.correction_id
LEFT JOIN person_cards AS c ON c.id_tag = t.id_tag AND c.since_at <= t.started_at AND NOT EXISTS (
    SELECT 1 FROM person_cards AS n WHERE n.id_tag = t.id_tag AND n.since_at <= t.started_at AND n.since_at > c.since_at
)
WHERE t.stopped_at >= @since AND t.stopped_at <= @until;
