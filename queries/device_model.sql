-- Keep attributes of variables as a charge point reports them; of what it doesn't tell now, what it told before stays.
-- name: PutVariables :batchexec
INSERT INTO device_variables (
    charge_point_key, key, component, component_instance, evse_id, connector_id, variable, variable_instance, attribute,
    value, mutability, data_type, unit, min_limit, max_limit, max_elements, values_list, supports_monitoring,
    is_persistent, is_constant, known_at
) VALUES (
    @charge_point_key, @key, @component, @component_instance, @evse_id, @connector_id, @variable, @variable_instance,
    @attribute, @value, @mutability, @data_type, @unit, @min_limit, @max_limit, @max_elements, @values_list,
    @supports_monitoring, @is_persistent, @is_constant, @known_at
)
ON CONFLICT (charge_point_key, key) DO UPDATE SET
    key = excluded.key,
    component = excluded.component,
    component_instance = excluded.component_instance,
    variable = excluded.variable,
    variable_instance = excluded.variable_instance,
    value = excluded.value,
    mutability = coalesce(excluded.mutability, mutability),
    data_type = coalesce(excluded.data_type, data_type),
    unit = coalesce(excluded.unit, unit),
    min_limit = coalesce(excluded.min_limit, min_limit),
    max_limit = coalesce(excluded.max_limit, max_limit),
    max_elements = coalesce(excluded.max_elements, max_elements),
    values_list = coalesce(excluded.values_list, values_list),
    supports_monitoring = coalesce(excluded.supports_monitoring, supports_monitoring),
    is_persistent = coalesce(excluded.is_persistent, is_persistent),
    is_constant = coalesce(excluded.is_constant, is_constant),
    known_at = excluded.known_at;

-- Set the value of an attribute that is known.
-- name: SetVariableValue :exec
UPDATE device_variables SET value = @value, known_at = @known_at WHERE charge_point_key = @charge_point_key AND key = @key;

-- One attribute of a variable, compared without regard to case.
-- name: GetVariable :one
SELECT * FROM device_variables WHERE charge_point_key = @charge_point_key AND key = @key;

-- A key of a charge point's device model, where it has any.
-- name: FindVariable :one
SELECT key FROM device_variables WHERE charge_point_key = @charge_point_key LIMIT 1;

-- A charge point's variables in the order of their keys, a page at a time. One charge point has so few (mcpp.bounds)
-- that any filter may look at all of them.
-- name: ListVariables :many
SELECT * FROM device_variables
WHERE charge_point_key = @charge_point_key AND key > @after
    AND (component = sqlc.narg(component) OR sqlc.narg(component) IS NULL)
    AND (variable = sqlc.narg(variable) OR sqlc.narg(variable) IS NULL)
    AND (evse_id = sqlc.narg(evse_id) OR sqlc.narg(evse_id) IS NULL)
    AND instr(lower(key), lower(CAST(@search AS TEXT))) > 0
ORDER BY key LIMIT @page_size;

-- The keys of a charge point's variables.
-- name: ListVariableKeys :many
SELECT key FROM device_variables WHERE charge_point_key = @charge_point_key ORDER BY key;

-- Forget attributes that a charge point doesn't know.
-- name: DeleteVariables :batchexec
DELETE FROM device_variables WHERE charge_point_key = @charge_point_key AND key = @key;

-- Forget what a report of all variables didn't name.
-- name: DeleteVariablesBefore :execrows
DELETE FROM device_variables WHERE charge_point_key = @charge_point_key AND known_at < @before_at;

-- Forget a charge point's device model: it speaks a version without one.
-- name: DeleteAllVariables :exec
DELETE FROM device_variables WHERE charge_point_key = @charge_point_key;

-- How large each attribute of a charge point is, those first that it told of the longest ago.
-- name: ListVariableSizes :many
SELECT key,
    CAST(coalesce(length(CAST(key AS BLOB)) + length(CAST(coalesce(value, '') AS BLOB))
        + length(CAST(coalesce(values_list, '') AS BLOB)), 0) AS INTEGER) AS bytes
FROM device_variables WHERE charge_point_key = @charge_point_key ORDER BY known_at, key;

-- How many attributes a charge point has, and how large they are together.
-- name: SizeOfVariables :one
SELECT count(*) AS known,
    CAST(coalesce(sum(length(CAST(key AS BLOB)) + length(CAST(coalesce(value, '') AS BLOB))
        + length(CAST(coalesce(values_list, '') AS BLOB))), 0) AS INTEGER) AS bytes
FROM device_variables WHERE charge_point_key = @charge_point_key;

-- Keep monitors as a charge point reports or makes them.
-- name: PutMonitors :batchexec
INSERT INTO device_monitors (
    charge_point_key, monitor_id, variable_key, component, component_instance, evse_id, connector_id, variable,
    variable_instance, type, value, severity, is_transaction_only, origin, known_at
) VALUES (
    @charge_point_key, @monitor_id, @variable_key, @component, @component_instance, @evse_id, @connector_id, @variable,
    @variable_instance, @type, @value, @severity, @is_transaction_only, @origin, @known_at
)
ON CONFLICT (charge_point_key, monitor_id) DO UPDATE SET
    variable_key = excluded.variable_key,
    component = excluded.component,
    component_instance = excluded.component_instance,
    evse_id = excluded.evse_id,
    connector_id = excluded.connector_id,
    variable = excluded.variable,
    variable_instance = excluded.variable_instance,
    type = excluded.type,
    value = excluded.value,
    severity = excluded.severity,
    is_transaction_only = excluded.is_transaction_only,
    origin = coalesce(excluded.origin, origin),
    known_at = excluded.known_at;

-- The severity of a monitor's events.
-- name: GetMonitorSeverity :one
SELECT severity FROM device_monitors WHERE charge_point_key = @charge_point_key AND monitor_id = @monitor_id;

-- No monitor's variable is what an event stream sends.
-- name: ForgetMonitorStream :exec
UPDATE device_monitors SET stream_id = NULL WHERE charge_point_key = @charge_point_key AND stream_id = @stream_id;

-- Note the monitor whose variable's values an event stream sends.
-- name: SetMonitorStream :exec
UPDATE device_monitors SET stream_id = @stream_id WHERE charge_point_key = @charge_point_key AND monitor_id = @monitor_id;

-- The variable that an event stream sends the values of. One charge point has so few monitors (mcpp.bounds) that all may
-- be looked at.
-- name: GetStreamedVariable :one
SELECT v.* FROM device_monitors AS m
JOIN device_variables AS v ON v.charge_point_key = m.charge_point_key AND v.key = m.variable_key
WHERE m.charge_point_key = @charge_point_key AND m.stream_id = @stream_id;

-- A charge point's monitors by their ids, a page at a time.
-- name: ListMonitors :many
SELECT * FROM device_monitors
WHERE charge_point_key = @charge_point_key AND monitor_id > @after
ORDER BY monitor_id LIMIT @page_size;

-- Forget monitors that are no more.
-- name: DeleteMonitors :batchexec
DELETE FROM device_monitors WHERE charge_point_key = @charge_point_key AND monitor_id = @monitor_id;

-- Forget what a report of all monitors didn't name.
-- name: DeleteMonitorsBefore :execrows
DELETE FROM device_monitors WHERE charge_point_key = @charge_point_key AND known_at < @before_at;

-- How many monitors of a charge point are kept.
-- name: CountMonitors :one
SELECT count(*) FROM device_monitors WHERE charge_point_key = @charge_point_key;

-- Monitors that a charge point told of the longest ago.
-- name: ListOldestMonitors :many
SELECT monitor_id FROM device_monitors WHERE charge_point_key = @charge_point_key
ORDER BY known_at, monitor_id LIMIT @row_count;

-- Store what happened in a charge point's devices; a repeat changes nothing.
-- name: AddDeviceEvent :execrows
INSERT INTO device_events (
    charge_point_key, kind, event_id, occurred_at, subject, component, component_instance, evse_id, connector_id,
    variable, variable_instance, value, trigger, cause, severity, is_cleared, tech_code, tech_info, monitor_id, origin,
    ocpp_transaction_id, details, received_at
) VALUES (
    @charge_point_key, @kind, @event_id, @occurred_at, @subject, @component, @component_instance, @evse_id,
    @connector_id, @variable, @variable_instance, @value, @trigger, @cause, @severity, @is_cleared, @tech_code,
    @tech_info, @monitor_id, @origin, @ocpp_transaction_id, @details, @received_at
)
ON CONFLICT DO NOTHING;

-- The last of a kind with such an id.
-- name: FindNewestDeviceEvent :one
SELECT * FROM device_events
WHERE charge_point_key = @charge_point_key AND kind = @kind AND event_id = @event_id
ORDER BY occurred_at DESC LIMIT 1;

-- A charge point's events, the newest first, a page at a time.
-- name: ListDeviceEvents :many
SELECT * FROM device_events
WHERE charge_point_key = @charge_point_key AND id < @before_id
ORDER BY id DESC LIMIT @page_size;

-- How many events of a charge point's devices are kept.
-- name: CountDeviceEvents :one
SELECT count(*) FROM device_events WHERE charge_point_key = @charge_point_key;

-- Forget the oldest of them.
-- name: DropOldestDeviceEvents :execrows
DELETE FROM device_events WHERE id IN (
    SELECT e.id FROM device_events AS e WHERE e.charge_point_key = @charge_point_key ORDER BY e.id LIMIT @row_count
);

-- Note when a charge point last told of something that is wrong with it.
-- name: StampError :exec
UPDATE charge_points SET last_error_at = @last_error_at WHERE key = @key;

-- Make a report known, before its first chunk or with it.
-- name: AddDeviceReport :one
INSERT INTO device_reports (charge_point_key, kind, request_id, requested_at, is_full, is_complete)
VALUES (@charge_point_key, @kind, @request_id, @requested_at, @is_full, 0)
RETURNING *;

-- Note that a charge point agreed to send a report.
-- name: SetReportRequested :exec
UPDATE device_reports SET requested_at = @requested_at, is_full = @is_full WHERE id = @id;

-- Note a chunk of a report.
-- name: SetReportProgress :exec
UPDATE device_reports SET first_at = @first_at, last_at = @last_at, is_complete = @is_complete WHERE id = @id;

-- A report of one kind by the id of its request.
-- name: FindDeviceReportOfKind :one
SELECT * FROM device_reports
WHERE charge_point_key = @charge_point_key AND kind = @kind AND request_id = @request_id;

-- The newest report by the id of its request, whatever its kind.
-- name: FindDeviceReport :one
SELECT * FROM device_reports WHERE charge_point_key = @charge_point_key AND request_id = @request_id
ORDER BY id DESC LIMIT 1;

-- A charge point's reports, the newest first, a page at a time.
-- name: ListDeviceReports :many
SELECT * FROM device_reports WHERE charge_point_key = @charge_point_key AND id < @before_id
ORDER BY id DESC LIMIT @page_size;

-- Forget a report with its chunks.
-- name: DeleteDeviceReport :exec
DELETE FROM device_reports WHERE id = @id;

-- How large each report of a charge point is, the oldest first.
-- name: ListReportSizes :many
SELECT r.id, count(c.position) AS chunks, CAST(coalesce(sum(length(CAST(c.content AS BLOB))), 0) AS INTEGER) AS bytes
FROM device_reports AS r LEFT JOIN device_report_chunks AS c ON c.report_id = r.id
WHERE r.charge_point_key = @charge_point_key
GROUP BY r.id ORDER BY r.id;

-- How large the chunks of a report are together.
-- name: SizeOfReport :one
SELECT CAST(coalesce(sum(length(CAST(content AS BLOB))), 0) AS INTEGER) AS bytes
FROM device_report_chunks WHERE report_id = @report_id;

-- Store a chunk of a report.
-- name: AddReportChunk :exec
INSERT INTO device_report_chunks (report_id, position, seq_no, is_last, content, received_at)
VALUES (@report_id, @position, @seq_no, @is_last, @content, @received_at);

-- The chunks of a report as they came.
-- name: ListReportChunks :many
SELECT * FROM device_report_chunks WHERE report_id = @report_id ORDER BY position;

-- The same without what they say.
-- name: ListReportSteps :many
SELECT position, seq_no, is_last FROM device_report_chunks WHERE report_id = @report_id ORDER BY position;

-- The content of chunks of a report with this number.
-- name: ListChunkContents :many
SELECT content FROM device_report_chunks WHERE report_id = @report_id AND seq_no = @seq_no;

-- Forget the chunks of a report.
-- name: DeleteReportChunks :exec
DELETE FROM device_report_chunks WHERE report_id = @report_id;
