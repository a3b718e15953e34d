-- Every named token, the oldest first: they are few.
-- name: ListTokens :many
SELECT * FROM tokens ORDER BY id;

-- A token by its name, compared without regard to case.
-- name: FindToken :one
SELECT * FROM tokens WHERE name = @name;

-- Store a token; only its hash.
-- name: AddToken :one
INSERT INTO tokens (name, role, hash, created_at) VALUES (@name, @role, @hash, @created_at) RETURNING *;

-- Forget a token, and all that was logged in with it.
-- name: DeleteToken :exec
DELETE FROM tokens WHERE id = @id;

-- Note when a token was used last.
-- name: SetTokenUsed :exec
UPDATE tokens SET last_used_at = @last_used_at WHERE id = @id;

-- Every browser that is logged in, the one whose time is over first at the top.
-- name: ListLogins :many
SELECT * FROM logins ORDER BY expires_at;

-- Note that a browser has logged in.
-- name: AddLogin :exec
INSERT INTO logins (hash, token_id, expires_at) VALUES (@hash, @token_id, @expires_at);

-- Forget that a browser is logged in.
-- name: DeleteLogin :exec
DELETE FROM logins WHERE hash = @hash;

-- Forget those whose time is over.
-- name: DeleteLoginsUntil :exec
DELETE FROM logins WHERE expires_at <= @until_at;

-- Forget all but so many, those that would last longest.
-- name: KeepLatestLogins :exec
DELETE FROM logins WHERE hash IN (SELECT l.hash FROM logins AS l ORDER BY l.expires_at DESC LIMIT -1 OFFSET @kept);

-- A token by its key.
-- name: GetToken :one
SELECT * FROM tokens WHERE id = @id;
