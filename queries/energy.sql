-- Let a charge point's total of ended transactions grow, or fall where an end is corrected; and note when it last
-- stopped a transaction, where it was its own stop.
-- name: BookEnergy :exec
UPDATE charge_points
SET energy_wh = energy_wh + CAST(@wh AS INTEGER),
    last_tx_stop_at = coalesce(sqlc.narg(last_tx_stop_at), last_tx_stop_at)
WHERE key = @key;

-- Keep the total as it is reported now, with so much of running transactions, unless more was reported before.
-- name: HoldEnergy :exec
UPDATE charge_points SET energy_peak_wh = max(energy_peak_wh, energy_wh + CAST(@running_wh AS INTEGER)) WHERE key = @key;
