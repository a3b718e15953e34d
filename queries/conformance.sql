-- What a charge point calls itself, and how much is kept of its departures.
-- name: GetChargePointFirmware :one
SELECT
    p.key, p.vendor, p.model, p.firmware_version,
    CAST(coalesce((SELECT count(*) FROM departures AS d WHERE d.charge_point_key = p.key), 0) AS INTEGER) AS rows_kept
FROM charge_points AS p
WHERE p.identity = @identity;

-- Count departures in, with the last example of each.
-- name: AddDepartures :batchexec
INSERT INTO departures (
    charge_point_key, vendor, model, firmware_version, action, message, rule, field, times, first_at, last_at, example,
    taken_as
)
VALUES (
    @charge_point_key, @vendor, @model, @firmware_version, @action, @message, @rule, @field, @times, @first_at,
    @last_at, @example, @taken_as
)
ON CONFLICT (charge_point_key, vendor, model, firmware_version, action, message, rule, field)
DO UPDATE SET
    times = times + excluded.times, last_at = max(last_at, excluded.last_at), example = excluded.example,
    taken_as = excluded.taken_as;

-- Whether a charge point has a row for this already.
-- name: CountDepartureRows :one
SELECT count(*) FROM departures
WHERE charge_point_key = @charge_point_key AND vendor = @vendor AND model = @model
    AND firmware_version = @firmware_version AND action = @action AND message = @message AND rule = @rule
    AND field = @field;

-- Make room: forget the oldest departure of a firmware that a charge point no longer has; 0 rows where there is none.
-- name: DropOldestDeparture :execrows
DELETE FROM departures WHERE id = (
    SELECT d.id FROM departures AS d
    WHERE d.charge_point_key = @charge_point_key
        AND NOT (d.vendor = @vendor AND d.model = @model AND d.firmware_version = @firmware_version)
    ORDER BY d.last_at LIMIT 1
);

-- What one charge point departed in, by firmware and place, a page at a time.
-- name: ListDeparturesOfChargePoint :many
SELECT * FROM departures
WHERE charge_point_key = @charge_point_key
    AND (vendor, model, firmware_version, action, message, rule, field)
        > (
            CAST(@vendor AS TEXT), CAST(@model AS TEXT), CAST(@firmware_version AS TEXT), CAST(@action AS TEXT),
            CAST(@message AS TEXT), CAST(@rule AS TEXT), CAST(@field AS TEXT)
        )
ORDER BY vendor, model, firmware_version, action, message, rule, field
LIMIT @page_size;

-- What all charge points departed in, by firmware and place, a page at a time; the example is the last one of all.
-- name: ListDepartures :many
SELECT
    d.vendor, d.model, d.firmware_version, d.action, d.message, d.rule, d.field,
    count(*) AS charge_points,
    CAST(coalesce(sum(d.times), 0) AS INTEGER) AS times,
    CAST(coalesce(min(d.first_at), 0) AS INTEGER) AS first_at,
    CAST(coalesce(max(d.last_at), 0) AS INTEGER) AS last_at,
    CAST(coalesce((
        SELECT e.example FROM departures AS e
        WHERE e.vendor = d.vendor AND e.model = d.model AND e.firmware_version = d.firmware_version
            AND e.action = d.action AND e.message = d.message AND e.rule = d.rule AND e.field = d.field
        ORDER BY e.last_at DESC, e.id DESC LIMIT 1
    ), '') AS TEXT) AS example,
    CAST(coalesce((
        SELECT e.taken_as FROM departures AS e
        WHERE e.vendor = d.vendor AND e.model = d.model AND e.firmware_version = d.firmware_version
            AND e.action = d.action AND e.message = d.message AND e.rule = d.rule AND e.field = d.field
        ORDER BY e.last_at DESC, e.id DESC LIMIT 1
    ), '') AS TEXT) AS taken_as
FROM departures AS d
WHERE (d.vendor, d.model, d.firmware_version, d.action, d.message, d.rule, d.field)
        > (
            CAST(@vendor AS TEXT), CAST(@model AS TEXT), CAST(@firmware_version AS TEXT), CAST(@action AS TEXT),
            CAST(@message AS TEXT), CAST(@rule AS TEXT), CAST(@field AS TEXT)
        )
GROUP BY d.vendor, d.model, d.firmware_version, d.action, d.message, d.rule, d.field
ORDER BY d.vendor, d.model, d.firmware_version, d.action, d.message, d.rule, d.field
LIMIT @page_size;
