-- One stored charging profile.
-- name: GetChargingProfile :one
SELECT * FROM charging_profiles WHERE name = @name;

-- Store a charging profile or replace it.
-- name: PutChargingProfile :exec
INSERT INTO charging_profiles (name, profile, ocpp_version) VALUES (@name, @profile, @ocpp_version)
ON CONFLICT (name) DO UPDATE SET profile = excluded.profile, ocpp_version = excluded.ocpp_version;

-- Forget a charging profile.
-- name: DeleteChargingProfile :execrows
DELETE FROM charging_profiles WHERE name = @name;

-- Charging profiles in the order of their names, a page at a time.
-- name: ListChargingProfiles :many
SELECT * FROM charging_profiles WHERE name > @after ORDER BY name LIMIT @page_size;
