-- Register a charge point at its first connection, note each later one. Returns its key and the connection's epoch.
-- name: ConnectChargePoint :one
INSERT INTO charge_points (identity, ocpp_version, registered_at, last_connect_at, connection_epoch)
VALUES (@identity, @ocpp_version, @connected_at, @connected_at, 1)
ON CONFLICT (identity) DO UPDATE SET ocpp_version = excluded.ocpp_version, last_connect_at = excluded.last_connect_at,
    connection_epoch = connection_epoch + 1
RETURNING key, connection_epoch;

-- Note the end of a charge point's connection, unless a newer one began; 0 rows then.
-- name: DisconnectChargePoint :execrows
UPDATE charge_points SET last_disconnect_at = @disconnected_at
WHERE key = @key AND connection_epoch = @connection_epoch;

-- Store what an accepted BootNotification reports (OCPP 1.6, 4.2).
-- name: BootChargePoint :exec
UPDATE charge_points
SET vendor = @vendor, model = @model, serial_number = @serial_number,
    charge_box_serial_number = @charge_box_serial_number, firmware_version = @firmware_version,
    iccid = @iccid, imsi = @imsi, meter_type = @meter_type, meter_serial_number = @meter_serial_number,
    boot_accepted_at = coalesce(boot_accepted_at, @booted_at), last_boot_at = @booted_at
WHERE key = @key;

-- Write the stamps that aren't records of their own, gathered over some seconds; an older one never overwrites.
-- name: StampChargePoints :batchexec
UPDATE charge_points
SET last_heartbeat_at = coalesce(sqlc.narg(last_heartbeat_at), last_heartbeat_at),
    last_meter_values_at = coalesce(sqlc.narg(last_meter_values_at), last_meter_values_at)
WHERE key = @key;

-- Note when the charge point last reported a status, and when last an error.
-- name: StampStatus :exec
UPDATE charge_points
SET last_status_at = @last_status_at, last_error_at = coalesce(sqlc.narg(last_error_at), last_error_at)
WHERE key = @key;

-- Note when the charge point last started a transaction.
-- name: StampTransactionStart :exec
UPDATE charge_points SET last_tx_start_at = @last_tx_start_at WHERE key = @key;

-- Keep the last report on diagnostics, firmware or log.
-- name: PutReport :exec
INSERT INTO charge_point_reports (charge_point_key, kind, status, request_id, reported_at)
VALUES (@charge_point_key, @kind, @status, @request_id, @reported_at)
ON CONFLICT (charge_point_key, kind)
DO UPDATE SET status = excluded.status, request_id = excluded.request_id, reported_at = excluded.reported_at;

-- What a charge point last reported on diagnostics, firmware and logs.
-- name: ListReports :many
SELECT * FROM charge_point_reports WHERE charge_point_key = @charge_point_key ORDER BY kind;

-- Store a security event (security extension, 4.9.2); a repeat changes nothing.
-- name: AddSecurityEvent :execrows
INSERT INTO security_events (charge_point_key, type, occurred_at, tech_info, digest, received_at)
VALUES (@charge_point_key, @type, @occurred_at, @tech_info, @digest, @received_at)
ON CONFLICT DO NOTHING;

-- How many security events of a charge point are kept.
-- name: CountSecurityEvents :one
SELECT count(*) FROM security_events WHERE charge_point_key = @charge_point_key;

-- Forget the oldest of them.
-- name: DropOldestSecurityEvent :execrows
DELETE FROM security_events WHERE id = (
    SELECT s.id FROM security_events AS s WHERE s.charge_point_key = @charge_point_key ORDER BY s.id LIMIT 1
);

-- One charge point by the identity it connects with.
-- name: GetChargePoint :one
SELECT * FROM charge_points WHERE identity = @identity;

-- Identities in their order, a page at a time.
-- name: ListIdentities :many
SELECT identity FROM charge_points WHERE identity > @after ORDER BY identity LIMIT @page_size;

-- Identities of one vendor's charge points in their order, a page at a time.
-- name: ListIdentitiesByVendor :many
SELECT identity FROM charge_points WHERE vendor = @vendor AND identity > @after ORDER BY identity LIMIT @page_size;

-- Charge points by their identities.
-- name: GetChargePoints :many
SELECT * FROM charge_points WHERE identity IN (sqlc.slice(identities)) ORDER BY identity;

-- What a charge point must show when it connects: its key, the hashes of its passwords, and what is asked beside.
-- name: GetCredentials :one
SELECT key, password_hash, password_hash_candidate, authenticated_at, security_profile, highest_profile,
    certificate_serial, ocpp_versions, has_evses
FROM charge_points WHERE identity = @identity;

-- The hashes of a charge point's password and of those that may take its place.
-- name: GetPasswordHashes :one
SELECT password_hash, password_hash_candidate FROM charge_points WHERE key = @key;

-- A charge point whose identity differs from this one in letter case only.
-- name: FindInOtherCase :one
SELECT identity FROM charge_points
WHERE identity COLLATE NOCASE = @identity AND identity <> @identity
ORDER BY identity LIMIT 1;

-- Store the hash of a charge point's password, NULL where it needs none, and those that may take its place.
-- name: SetPasswordHashes :exec
UPDATE charge_points SET password_hash = @password_hash, password_hash_candidate = @password_hash_candidate
WHERE key = @key;

-- Note when a charge point last proved who it is.
-- name: StampAuthenticated :exec
UPDATE charge_points SET authenticated_at = @authenticated_at WHERE key = @key;

-- Note that a charge point has used a higher security profile than ever before.
-- name: RaiseHighestProfile :exec
UPDATE charge_points SET highest_profile = @highest_profile WHERE key = @key;

-- Say which security profile a charge point must use at least, NULL where the setting decides, and what it has used.
-- name: SetSecurityProfile :exec
UPDATE charge_points SET security_profile = @security_profile, highest_profile = @highest_profile WHERE key = @key;

-- Say which name beside its identity a charge point's certificate may have; NULL: none.
-- name: SetCertificateSerial :exec
UPDATE charge_points SET certificate_serial = @certificate_serial WHERE key = @key;

-- How many charge points may connect without proving who they are.
-- name: CountChargePointsWithoutAuthentication :one
SELECT count(*) FROM charge_points
WHERE password_hash IS NULL AND highest_profile = 0 AND coalesce(security_profile, 0) = 0;

-- Register a charge point ahead of its first connection; 0 rows where it is known.
-- name: RegisterChargePoint :execrows
INSERT INTO charge_points (identity, registered_at) VALUES (@identity, @registered_at) ON CONFLICT (identity) DO NOTHING;

-- Say which versions of OCPP a charge point may speak, commas between them; NULL: all that the server speaks.
-- name: SetOcppVersions :exec
UPDATE charge_points SET ocpp_versions = @ocpp_versions WHERE key = @key;

-- Set a charge point's name for people.
-- name: SetDisplayName :exec
UPDATE charge_points SET display_name = @display_name WHERE key = @key;

-- Say whether a charge point starts charging by itself; NULL where the setting decides.
-- name: SetAutoStart :exec
UPDATE charge_points SET auto_start = @auto_start WHERE key = @key;

-- Say what each connector of a charge point can deliver at most, in W; NULL where nobody knows.
-- name: SetRatedPower :exec
UPDATE charge_points SET rated_power_w = @rated_power_w WHERE key = @key;

-- What each connector of a charge point can deliver at most, in W; null where nobody said.
-- name: GetRatedPower :one
SELECT rated_power_w FROM charge_points WHERE key = @key;

-- How many transactions a charge point has.
-- name: CountTransactionsOfChargePoint :one
SELECT count(*) FROM transactions WHERE charge_point_key = @charge_point_key;

-- Forget a charge point, and with it all that is its own.
-- name: DeleteChargePoint :exec
DELETE FROM charge_points WHERE key = @key;

-- Whether a charge point starts transactions by itself; null where the setting for all holds.
-- name: GetAutoStart :one
SELECT auto_start FROM charge_points WHERE key = @key;

-- What says whether a charge point is to be asked for a report of its device model.
-- name: GetInventory :one
SELECT key, firmware_version, inventoried_firmware, last_boot_at, last_status_at FROM charge_points
WHERE identity = @identity;

-- Keep with which firmware a charge point was last asked for a report of its device model.
-- name: SetInventoried :exec
UPDATE charge_points SET inventoried_firmware = @inventoried_firmware WHERE key = @key;

-- When a charge point last booted.
-- name: GetLastBoot :one
SELECT last_boot_at FROM charge_points WHERE key = @key;
