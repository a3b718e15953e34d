-- Store a signing request, with the certificate where it is signed at once.
-- name: AddCertificate :one
INSERT INTO certificates (
    charge_point_key, charge_point_id, status, subject, key_type, csr, request_id, requested_at, approved_by,
    decided_at, certificate, serial_number, issued_at, expires_at
)
VALUES (
    @charge_point_key, @charge_point_id, @status, @subject, @key_type, @csr, @request_id, @requested_at, @approved_by,
    @decided_at, @certificate, @serial_number, @issued_at, @expires_at
)
RETURNING id;

-- One of them.
-- name: GetCertificate :one
SELECT * FROM certificates WHERE id = @id;

-- Those of a charge point, the newest first.
-- name: ListCertificatesOfKey :many
SELECT * FROM certificates WHERE charge_point_key = @charge_point_key ORDER BY id DESC;

-- All of them, the newest first, a page at a time.
-- name: ListCertificates :many
SELECT * FROM certificates WHERE id < @before_id ORDER BY id DESC LIMIT @page_size;

-- Those made for one identity, the newest first, a page at a time.
-- name: ListCertificatesOfChargePoint :many
SELECT * FROM certificates WHERE charge_point_id = @charge_point_id AND id < @before_id
ORDER BY id DESC LIMIT @page_size;

-- Those in one state, the newest first, a page at a time.
-- name: ListCertificatesByStatus :many
SELECT * FROM certificates WHERE status = @status AND id < @before_id ORDER BY id DESC LIMIT @page_size;

-- Those in one state made for one identity, the newest first, a page at a time.
-- name: ListCertificatesOfChargePointByStatus :many
SELECT * FROM certificates WHERE charge_point_id = @charge_point_id AND status = @status AND id < @before_id
ORDER BY id DESC LIMIT @page_size;

-- The serial numbers of the revoked certificates.
-- name: ListRevokedSerials :many
SELECT serial_number FROM certificates WHERE status = 'revoked' AND serial_number IS NOT NULL;

-- The charge points that have a signed certificate to get.
-- name: ListChargePointsToServe :many
SELECT DISTINCT charge_point_id FROM certificates WHERE status = 'approved' AND charge_point_key IS NOT NULL;

-- The installed certificates that end before some time, of charge points that are there.
-- name: ListEndingCertificates :many
SELECT * FROM certificates
WHERE status = 'issued' AND expires_at <= @until AND charge_point_key IS NOT NULL
ORDER BY id;

-- Keep what became of a request that waited: signed.
-- name: ApproveCertificate :exec
UPDATE certificates
SET status = 'approved', approved_by = @approved_by, decided_at = @decided_at, certificate = @certificate,
    serial_number = @serial_number, issued_at = @issued_at, expires_at = @expires_at
WHERE id = @id;

-- Keep that one is rejected or superseded, or what its charge point answered to it.
-- name: SetCertificateStatus :exec
UPDATE certificates SET status = @status, reason = sqlc.narg(reason) WHERE id = @id;

-- Keep the id under which a charge point asked again for the same.
-- name: SetCertificateRequestId :exec
UPDATE certificates SET request_id = @request_id WHERE id = @id;

-- Keep when an operator decided.
-- name: SetCertificateDecided :exec
UPDATE certificates SET decided_at = @decided_at WHERE id = @id;

-- Keep when its charge point answered.
-- name: SetCertificateAnswered :exec
UPDATE certificates SET answered_at = @answered_at WHERE id = @id;

-- Revoke a certificate.
-- name: RevokeCertificate :exec
UPDATE certificates SET status = 'revoked', revoked_at = @revoked_at, reason = sqlc.narg(reason) WHERE id = @id;

-- Forget one of them.
-- name: DeleteCertificate :exec
DELETE FROM certificates WHERE id = @id;

-- Forget the certificates that ended before some time: nobody gets in by them, revoked or not.
-- name: DeleteEndedCertificates :exec
DELETE FROM certificates WHERE certificate IS NOT NULL AND expires_at < @before;

-- Forget the requests, without a certificate, of charge points that are gone.
-- name: DeleteRequestsOfNobody :exec
DELETE FROM certificates WHERE charge_point_key IS NULL AND certificate IS NULL;

-- The steps of a charge point's roll-out, in their order.
-- name: ListRollOutSteps :many
SELECT * FROM roll_out_steps WHERE charge_point_key = @charge_point_key ORDER BY position;

-- The charge points whose roll-out has neither ended nor failed.
-- name: ListRollOuts :many
SELECT p.identity FROM charge_points AS p
WHERE EXISTS (SELECT 1 FROM roll_out_steps AS w WHERE w.charge_point_key = p.key AND w.state = 'waiting')
AND NOT EXISTS (SELECT 1 FROM roll_out_steps AS f WHERE f.charge_point_key = p.key AND f.state = 'failed')
ORDER BY p.identity;

-- Store a step of a roll-out, in place of what it was.
-- name: PutRollOutStep :exec
INSERT INTO roll_out_steps (charge_point_key, position, step, state, answer, changed_at)
VALUES (@charge_point_key, @position, @step, @state, @answer, @changed_at)
ON CONFLICT (charge_point_key, position)
DO UPDATE SET state = excluded.state, answer = excluded.answer, changed_at = excluded.changed_at;
