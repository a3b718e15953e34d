-- Store a reservation that its charge point accepted, in place of a known one (OCPP 1.6, 5.13). Returns its key.
-- name: PutReservation :one
INSERT INTO reservations (
    charge_point_key, reservation_id, connector_key, id_tag, parent_id_tag, expiry_date, status, created_at
)
VALUES (
    @charge_point_key, @reservation_id, @connector_key, @id_tag, @parent_id_tag, @expiry_date, 'Accepted', @created_at
)
ON CONFLICT (reservation_id, charge_point_key) DO UPDATE SET
    connector_key = excluded.connector_key, id_tag = excluded.id_tag, parent_id_tag = excluded.parent_id_tag,
    expiry_date = excluded.expiry_date, status = excluded.status, created_at = excluded.created_at,
    transaction_id = NULL
RETURNING id;

-- One reservation of a charge point by the id that the charge point knows it by.
-- name: FindReservation :one
SELECT * FROM reservation_records WHERE charge_point_id = @charge_point_id AND reservation_id = @reservation_id;

-- The reservations of a charge point that had not expired at a time.
-- name: ListReservationsHeldAt :many
SELECT * FROM reservation_records WHERE charge_point_id = @charge_point_id AND expiry_date > @held_at;

-- The reservation that a transaction used.
-- name: FindReservationOfTransaction :one
SELECT * FROM reservation_records WHERE transaction_id = @transaction_id LIMIT 1;

-- Say what became of a reservation, and which transaction used it.
-- name: SetReservationStatus :exec
UPDATE reservations SET status = @status, transaction_id = @transaction_id WHERE id = @id;

-- Accepted reservations whose time is over, the oldest first.
-- name: ListOverdueReservations :many
SELECT * FROM reservation_records WHERE status = 'Accepted' AND expiry_date <= @now ORDER BY expiry_date
LIMIT @row_limit;

-- Whether a reservation of that id is known of any charge point.
-- name: IsReservationIdKnown :one
SELECT EXISTS (SELECT 1 FROM reservations WHERE reservation_id = @reservation_id) AS known;

-- The next number of a kind.
-- name: AllotNumber :one
INSERT INTO allotments (kind, last_number) VALUES (@kind, 1)
ON CONFLICT (kind) DO UPDATE SET last_number = last_number + 1
RETURNING last_number;

-- One reservation as the API shows it.
-- name: GetReservation :one
SELECT * FROM reservation_records WHERE id = @id;

-- Reservations, newest first, a page at a time.
-- name: ListReservations :many
SELECT * FROM reservation_records WHERE id < @before_id ORDER BY id DESC LIMIT @page_size;

-- As ListReservations, of one charge point.
-- name: ListReservationsOfChargePoint :many
SELECT * FROM reservation_records WHERE charge_point_id = @charge_point_id AND id < @before_id
ORDER BY id DESC LIMIT @page_size;

-- As ListReservations, of one charge point and one status.
-- name: ListReservationsOfChargePointByStatus :many
SELECT * FROM reservation_records
WHERE charge_point_id = @charge_point_id AND status = @status AND id < @before_id AND expiry_date > @expires_after
ORDER BY id DESC LIMIT @page_size;

-- As ListReservations, those of one status.
-- name: ListReservationsByStatus :many
SELECT * FROM reservation_records
WHERE status = @status AND id < @before_id AND expiry_date > @expires_after
ORDER BY id DESC LIMIT @page_size;
