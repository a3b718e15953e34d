-- Note up to when the server has told times.
-- name: NoteClock :exec
INSERT INTO server_clock (id, newest_at) VALUES (1, @newest_at)
ON CONFLICT (id) DO UPDATE SET newest_at = excluded.newest_at;

-- Up to when the server has told times, as last noted.
-- name: FindNewestClock :one
SELECT newest_at FROM server_clock WHERE id = 1;
