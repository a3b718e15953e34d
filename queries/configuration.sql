-- Keep configuration keys as a charge point reports them; each is spelled as in its last word on it.
-- name: PutConfigurationKeys :batchexec
INSERT INTO configuration_keys (charge_point_key, key, value, readonly, known_at)
VALUES (@charge_point_key, @key, @value, @readonly, @known_at)
ON CONFLICT (charge_point_key, key)
DO UPDATE SET key = excluded.key, value = excluded.value, readonly = excluded.readonly, known_at = excluded.known_at;

-- Forget configuration keys that a charge point doesn't know.
-- name: DeleteConfigurationKeys :batchexec
DELETE FROM configuration_keys WHERE charge_point_key = @charge_point_key AND key = @key;

-- One configuration key, compared without regard to case (CiString).
-- name: GetConfigurationKey :one
SELECT * FROM configuration_keys WHERE charge_point_key = @charge_point_key AND key = @key;

-- The last known configuration of a charge point, in the order of the keys, a page at a time.
-- name: ListConfigurationPage :many
SELECT * FROM configuration_keys WHERE charge_point_key = @charge_point_key AND key > @after
ORDER BY key LIMIT @page_size;

-- How many a charge point has, and how large keys and values are together.
-- name: SizeOfConfiguration :one
SELECT count(*) AS known,
    CAST(coalesce(sum(length(CAST(key AS BLOB)) + coalesce(length(CAST(value AS BLOB)), 0)), 0) AS INTEGER) AS bytes
FROM configuration_keys WHERE charge_point_key = @charge_point_key;

-- The one that it reported the longest ago.
-- name: FindOldestConfigurationKey :one
SELECT * FROM configuration_keys WHERE charge_point_key = @charge_point_key ORDER BY known_at, key LIMIT 1;

-- Forget the configuration keys of a charge point: it speaks a version that has none.
-- name: DeleteAllConfigurationKeys :exec
DELETE FROM configuration_keys WHERE charge_point_key = @charge_point_key;
