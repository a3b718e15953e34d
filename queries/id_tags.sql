-- One id tag, compared without regard to case (CiString).
-- name: GetIdTag :one
SELECT * FROM id_tags WHERE id_tag = @id_tag;

-- Store an id tag or change it; it is spelled as the last one who stored it did.
-- name: PutIdTag :exec
INSERT INTO id_tags (id_tag, status, expiry_date, parent_id_tag, note, token_type)
VALUES (@id_tag, @status, @expiry_date, @parent_id_tag, @note, @token_type)
ON CONFLICT (id_tag) DO UPDATE SET id_tag = excluded.id_tag, status = excluded.status,
    expiry_date = excluded.expiry_date, parent_id_tag = excluded.parent_id_tag, note = excluded.note,
    token_type = excluded.token_type;

-- An id tag by what is left of it without dashes, as contract ids are compared (OCPP 2.0.1 C07).
-- name: FindIdTagWithoutDashes :one
SELECT * FROM id_tags WHERE CAST(replace(id_tag, '-', '') AS TEXT) COLLATE NOCASE = CAST(@bare AS TEXT) LIMIT 1;

-- Forget an id tag.
-- name: DeleteIdTag :execrows
DELETE FROM id_tags WHERE id_tag = @id_tag;

-- Id tags in their order without regard to case, a page at a time.
-- name: ListIdTags :many
SELECT * FROM id_tags WHERE id_tag > @after ORDER BY id_tag LIMIT @page_size;

-- Every id tag, for a local authorization list.
-- name: ListAllIdTags :many
SELECT * FROM id_tags ORDER BY id_tag;

-- Note that a card was presented that isn't stored, or was refused; it is spelled as it was last.
-- name: AddUnknownIdTag :exec
INSERT INTO unknown_id_tags (id_tag, charge_point_key, status, times, first_at, last_at)
SELECT @id_tag, p.key, @status, @times, @first_at, @last_at FROM charge_points AS p WHERE p.key = @charge_point_key
ON CONFLICT (id_tag, charge_point_key) DO UPDATE SET id_tag = excluded.id_tag, status = excluded.status,
    times = times + excluded.times, first_at = min(first_at, excluded.first_at),
    last_at = max(last_at, excluded.last_at);

-- Forget all but the newest of them.
-- name: KeepNewestUnknownIdTags :exec
DELETE FROM unknown_id_tags WHERE (id_tag, charge_point_key) IN (
    SELECT u.id_tag, u.charge_point_key FROM unknown_id_tags AS u
    ORDER BY u.last_at DESC, u.id_tag DESC, u.charge_point_key DESC LIMIT -1 OFFSET @kept
);

-- Forget that a card was unknown or refused.
-- name: ForgetUnknownIdTag :exec
DELETE FROM unknown_id_tags WHERE id_tag = @id_tag;

-- Cards that aren't stored or were refused, those presented last first, a page at a time.
-- name: ListUnknownIdTags :many
SELECT u.id_tag, u.charge_point_key, p.identity AS charge_point_id, u.status, u.times, u.first_at, u.last_at
FROM unknown_id_tags AS u
JOIN charge_points AS p ON p.key = u.charge_point_key
WHERE u.last_at <= @before AND (
    u.last_at < @before OR u.id_tag < @before_id_tag OR (u.id_tag = @before_id_tag AND u.charge_point_key < @before_key)
)
ORDER BY u.last_at DESC, u.id_tag DESC, u.charge_point_key DESC
LIMIT @page_size;
