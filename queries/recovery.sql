-- Doubt that an open transaction still runs.
-- name: SuspectTransaction :exec
UPDATE transactions
SET suspicion = @suspicion, suspicion_at = @suspicion_at, grace_began_at = @grace_began_at
WHERE id = @id AND stopped_at IS NULL;

-- Take back what speaks against a transaction.
-- name: TrustTransaction :exec
UPDATE transactions SET suspicion = NULL, suspicion_at = NULL, grace_began_at = NULL WHERE id = @id;

-- Restart the grace period of a suspected or recovered transaction.
-- name: RestartGrace :exec
UPDATE transactions SET grace_began_at = @grace_began_at WHERE id = @id;

-- The transactions whose grace period began up to a time, that which began first at the top.
-- name: ListSuspected :many
SELECT * FROM transactions WHERE grace_began_at <= @began_until ORDER BY grace_began_at, id;

-- One connector by its key.
-- name: FindConnector :one
SELECT * FROM connectors WHERE key = @key;

-- Begin every grace period anew: the clock by which they were measured has jumped.
-- name: RestartGracePeriods :exec
UPDATE transactions SET grace_began_at = @grace_began_at WHERE grace_began_at IS NOT NULL;
