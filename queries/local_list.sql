-- Keep the version of a charge point's local authorization list.
-- name: PutLocalListVersion :exec
INSERT INTO local_lists (charge_point_key, version, known_at) VALUES (@charge_point_key, @version, @known_at)
ON CONFLICT (charge_point_key) DO UPDATE SET version = excluded.version, known_at = excluded.known_at;

-- The last known version of a charge point's local authorization list.
-- name: GetLocalList :one
SELECT * FROM local_lists WHERE charge_point_key = @charge_point_key;
