-- Store a firmware image that is on disk; no row where its name is taken.
-- name: AddFirmwareImage :one
INSERT INTO firmware_images (name, stored_name, size_bytes, sha256, stored_at)
VALUES (@name, @stored_name, @size_bytes, @sha256, @stored_at)
ON CONFLICT (name) DO NOTHING
RETURNING *;

-- One firmware image by its name.
-- name: GetFirmwareImage :one
SELECT * FROM firmware_images WHERE name = @name;

-- All firmware images by name.
-- name: ListFirmwareImages :many
SELECT * FROM firmware_images ORDER BY name;

-- Forget a firmware image, and with it its links; returns the name of its file.
-- name: DeleteFirmwareImage :one
DELETE FROM firmware_images WHERE name = @name RETURNING stored_name;

-- Store a link by which a firmware image is fetched.
-- name: AddDownloadLink :exec
INSERT INTO file_links (token_sha256, firmware_id, created_at, expires_at)
VALUES (@token_sha256, @firmware_id, @created_at, @expires_at);

-- Store a link by which a charge point puts files.
-- name: AddUploadLink :exec
INSERT INTO file_links (token_sha256, charge_point_key, created_at, expires_at)
VALUES (@token_sha256, @charge_point_key, @created_at, @expires_at);

-- Forget the links that nobody can use any more.
-- name: DeleteExpiredLinks :exec
DELETE FROM file_links WHERE expires_at <= @now_at;

-- The firmware image of a link that still counts.
-- name: FindDownload :one
SELECT f.id, f.name, f.stored_name, f.size_bytes, f.sha256, f.stored_at
FROM file_links AS l
JOIN firmware_images AS f ON f.id = l.firmware_id
WHERE l.token_sha256 = @token_sha256 AND l.expires_at > @now_at;

-- The charge point that puts files by a link that still counts.
-- name: FindUploadLink :one
SELECT l.id AS link_id, p.key AS charge_point_key, p.identity
FROM file_links AS l
JOIN charge_points AS p ON p.key = l.charge_point_key
WHERE l.token_sha256 = @token_sha256 AND l.expires_at > @now_at;

-- The file that was put by a link under a name.
-- name: FindUpload :one
SELECT id, stored_name FROM uploads WHERE link_id = @link_id AND name = @name;

-- How many files were put by a link.
-- name: CountUploadsOfLink :one
SELECT count(*) FROM uploads WHERE link_id = @link_id;

-- Store a file that a charge point has put and that is on disk, in place of one of the same link and name.
-- name: PutUpload :one
INSERT INTO uploads (charge_point_key, link_id, name, stored_name, size_bytes, sha256, received_at)
VALUES (@charge_point_key, @link_id, @name, @stored_name, @size_bytes, @sha256, @received_at)
ON CONFLICT (link_id, name)
DO UPDATE SET stored_name = excluded.stored_name, size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
    received_at = excluded.received_at
RETURNING id;

-- One file that a charge point has put.
-- name: GetUpload :one
SELECT * FROM upload_records WHERE id = @id;

-- What charge points have put, the newest first, a page at a time.
-- name: ListUploads :many
SELECT * FROM upload_records WHERE id < @before_id ORDER BY id DESC LIMIT @page_size;

-- What one charge point has put, the newest first, a page at a time.
-- name: ListUploadsOfChargePoint :many
SELECT * FROM upload_records WHERE charge_point_id = @charge_point_id AND id < @before_id
ORDER BY id DESC LIMIT @page_size;

-- Forget a file that a charge point has put; returns the name of the file.
-- name: DeleteUpload :one
DELETE FROM uploads WHERE id = @id RETURNING stored_name;

-- The files on disk that are firmware images.
-- name: ListStoredFirmware :many
SELECT stored_name FROM firmware_images;

-- The files on disk that charge points have put.
-- name: ListStoredUploads :many
SELECT stored_name FROM uploads;
