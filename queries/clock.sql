-- Note up to when a run of the server has told times.
-- name: NoteRun :exec
INSERT INTO server_runs (id, began_at, newest_at) VALUES (@id, @began_at, @newest_at)
ON CONFLICT (id) DO UPDATE SET newest_at = excluded.newest_at;

-- Note of a run that is over how long it went on, by what was written before a time: it notes its own only now and then.
-- name: CloseRun :exec
UPDATE server_runs
SET newest_at = max(
    newest_at,
    coalesce((SELECT max(c.status_received_at) FROM connectors AS c WHERE c.status_received_at < @before_at), 0),
    coalesce((SELECT max(p.last_connect_at) FROM charge_points AS p WHERE p.last_connect_at < @before_at), 0),
    coalesce((SELECT max(p.last_disconnect_at) FROM charge_points AS p WHERE p.last_disconnect_at < @before_at), 0)
)
WHERE id = @id;

-- Forget the runs up to one.
-- name: ForgetRuns :exec
DELETE FROM server_runs WHERE id <= @until_id;

-- The last run of the server that noted a time.
-- name: FindNewestRun :one
SELECT * FROM server_runs ORDER BY id DESC LIMIT 1;
