-- One id tag, compared without regard to case (CiString).
-- name: GetIdTag :one
SELECT * FROM id_tags WHERE id_tag = @id_tag;

-- Store an id tag or change it; it is spelled as the last one who stored it did.
-- name: PutIdTag :exec
INSERT INTO id_tags (id_tag, status, expiry_date, parent_id_tag, note)
VALUES (@id_tag, @status, @expiry_date, @parent_id_tag, @note)
ON CONFLICT (id_tag) DO UPDATE SET id_tag = excluded.id_tag, status = excluded.status,
    expiry_date = excluded.expiry_date, parent_id_tag = excluded.parent_id_tag, note = excluded.note;

-- Forget an id tag.
-- name: DeleteIdTag :execrows
DELETE FROM id_tags WHERE id_tag = @id_tag;

-- Id tags in their order without regard to case, a page at a time.
-- name: ListIdTags :many
SELECT * FROM id_tags WHERE id_tag > @after ORDER BY id_tag LIMIT @page_size;

-- Every id tag, for a local authorization list.
-- name: ListAllIdTags :many
SELECT * FROM id_tags ORDER BY id_tag;
