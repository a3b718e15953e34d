-- Transactions that ended in a span of time, by their ids, a page at a time: what a report sums up.
-- name: ListEndedTransactions :many
SELECT
    t.id, p.identity AS charge_point_id, t.id_tag, t.started_at, t.stopped_at, t.energy_wh, t.implausible_reason,
    r.energy_wh AS corrected_wh
FROM transactions AS t
JOIN charge_points AS p ON p.key = t.charge_point_key
LEFT JOIN transaction_corrections AS r ON r.id = t.correction_id
WHERE t.id > @after AND t.stopped_at >= @since AND t.stopped_at < @until
ORDER BY t.id
LIMIT @page_size;
