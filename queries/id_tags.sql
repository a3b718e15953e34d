-- One id tag, compared without regard to case (CiString).
-- name: GetIdTag :one
SELECT * FROM id_tags WHERE id_tag = @id_tag;

-- Store an id tag or change it.
-- name: PutIdTag :exec
INSERT INTO id_tags (id_tag, status, expiry_date, parent_id_tag, note)
VALUES (@id_tag, @status, @expiry_date, @parent_id_tag, @note)
ON CONFLICT (id_tag) DO UPDATE SET status = excluded.status, expiry_date = excluded.expiry_date,
    parent_id_tag = excluded.parent_id_tag, note = excluded.note;
