-- The schema of MCPP.
--
-- A key is ours; an id is OCPP's: charge_point_key, connector_key are integers that this database makes, charge_point_id
-- (an identity) and connector_id (a number) are as the charge point has them.
-- Times are INTEGER, UTC, in milliseconds since 1970-01-01: datetime(started_at / 1000, 'unixepoch') shows them.
-- Meter registers are INTEGER, in Wh. Booleans are 0 or 1. Sampled values stay TEXT, as the charger sent them.
-- A natural key has no NULL in it, since NULLs don't conflict: what a charger left out is '' or 0 there.

-- AUTOINCREMENT, here and below: a key that was given once is never given again, also after a purge.
-- connection_epoch: counts its connections; the end of one that isn't the newest says nothing.
-- ocpp_version: of its last connection. ocpp_versions: those that it may speak, as an operator says, commas between them;
-- NULL: all that the server speaks.
-- energy_wh: of its ended transactions. energy_peak_wh: what was reported of all of them before the sum fell.
-- password_hash_candidate: of new passwords that may be in force, blanks between them; all count until that shows.
-- security_profile: the least that it must use, as an operator says. highest_profile: the highest that it has used.
-- certificate_serial: the serial number that may stand as CN in its certificate, as an operator says.
-- authenticated_at: when it last proved who it is, by password or certificate.
-- inventoried_firmware: with which it was last asked for a report of its device model, empty for one that it didn't tell.
-- has_evses: whether the version that it speaks numbers connectors within EVSEs, and gives transactions the charger's ids.
-- rated_power_w: the most that each of its connectors can deliver, as an operator says.
CREATE TABLE charge_points (
    key                       INTEGER PRIMARY KEY AUTOINCREMENT,
    identity                  TEXT    NOT NULL UNIQUE,
    ocpp_version              TEXT,
    ocpp_versions             TEXT,
    display_name              TEXT,
    password_hash             TEXT,
    password_hash_candidate   TEXT,
    security_profile          INTEGER CHECK (security_profile BETWEEN 0 AND 3),
    highest_profile           INTEGER NOT NULL DEFAULT 0 CHECK (highest_profile BETWEEN 0 AND 3),
    certificate_serial        TEXT,
    authenticated_at          INTEGER,
    auto_start                INTEGER CHECK (auto_start IN (0, 1)),
    rated_power_w             INTEGER,
    vendor                    TEXT,
    model                     TEXT,
    serial_number             TEXT,
    charge_box_serial_number  TEXT,
    firmware_version          TEXT,
    inventoried_firmware      TEXT,
    iccid                     TEXT,
    imsi                      TEXT,
    meter_type                TEXT,
    meter_serial_number       TEXT,
    registered_at             INTEGER NOT NULL,
    boot_accepted_at          INTEGER,
    connection_epoch          INTEGER NOT NULL DEFAULT 0,
    last_connect_at           INTEGER,
    last_disconnect_at        INTEGER,
    last_boot_at              INTEGER,
    last_heartbeat_at         INTEGER,
    last_status_at            INTEGER,
    last_meter_values_at      INTEGER,
    last_tx_start_at          INTEGER,
    last_tx_stop_at           INTEGER,
    last_error_at             INTEGER,
    energy_wh                 INTEGER NOT NULL DEFAULT 0,
    energy_peak_wh            INTEGER NOT NULL DEFAULT 0,
    has_evses                 INTEGER NOT NULL DEFAULT 0 CHECK (has_evses IN (0, 1))
) STRICT;

CREATE INDEX charge_points_whatever_case ON charge_points (identity COLLATE NOCASE, identity);
CREATE INDEX charge_points_by_vendor ON charge_points (vendor, identity);

-- A connector as OCPP numbers it. evse_id is 0 where the version has no EVSEs (1.6); connector 0 is the charge point, or
-- of an EVSE the EVSE as a whole.
-- reported_status: the charger's own word, where status is derived from it; NULL where it's the same (1.6).
-- is_shown: whether it's one that the charge point has, in the version that it speaks; an EVSE as a whole never is.
-- status_changes: how often its status became another one.
-- ordered_availability: as the charge point last agreed to, at once or after a transaction.
-- status_began_at: since when it has had its status without a break, by our clock.
-- newest_start_at, newest_stop_at: up to when its charge point has told of its transactions' starts and stops, by its own
-- clock as far as that can be believed. stale_status_at: of the last status that was older than what was told before.
CREATE TABLE connectors (
    key                       INTEGER PRIMARY KEY,
    charge_point_key          INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    evse_id                   INTEGER NOT NULL DEFAULT 0,
    connector_id              INTEGER NOT NULL,
    status                    TEXT,
    error_code                TEXT,
    info                      TEXT,
    vendor_id                 TEXT,
    vendor_error_code         TEXT,
    status_at                 INTEGER,
    status_received_at        INTEGER,
    status_began_at           INTEGER,
    session_correlation_id    TEXT,
    ordered_availability      TEXT    CHECK (ordered_availability IN ('Operative', 'Inoperative')),
    ordered_at                INTEGER,
    newest_start_at           INTEGER,
    newest_stop_at            INTEGER,
    stale_status_at           INTEGER,
    stale_status_received_at  INTEGER,
    reported_status           TEXT,
    is_shown                  INTEGER NOT NULL DEFAULT 1 CHECK (is_shown IN (0, 1)),
    status_changes            INTEGER NOT NULL DEFAULT 0,
    UNIQUE (charge_point_key, evse_id, connector_id)
) STRICT;

CREATE INDEX connectors_faulted ON connectors (charge_point_key) WHERE status = 'Faulted';

-- What connectors' statuses were, each from when on, by our clock. The newest of a connector are kept: a row's slot is
-- the number of the change, counted by connectors.status_changes, modulo how many are kept.
CREATE TABLE connector_statuses (
    connector_key  INTEGER NOT NULL REFERENCES connectors (key) ON DELETE CASCADE,
    slot           INTEGER NOT NULL,
    began_at       INTEGER NOT NULL,
    status         TEXT    NOT NULL,
    PRIMARY KEY (connector_key, slot)
) STRICT, WITHOUT ROWID;

-- When charge points were connected. The newest connections are kept: the slot is the connection's epoch modulo how many.
-- ended_at: NULL while it lasts, where a newer one took its place, and where the server ended before it.
CREATE TABLE connections (
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    slot              INTEGER NOT NULL,
    began_at          INTEGER NOT NULL,
    ended_at          INTEGER,
    PRIMARY KEY (charge_point_key, slot)
) STRICT, WITHOUT ROWID;

-- The last report of a charge point on a long errand: diagnostics, firmware, log.
CREATE TABLE charge_point_reports (
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    kind              TEXT    NOT NULL CHECK (kind IN (
        'diagnostics', 'firmware', 'log', 'signed_firmware', 'published_firmware'
    )),
    status            TEXT    NOT NULL,
    request_id        INTEGER,
    reported_at       INTEGER NOT NULL,
    PRIMARY KEY (charge_point_key, kind)
) STRICT, WITHOUT ROWID;

-- Configuration keys as the charge point last reported or accepted them. A secret one has no value here.
CREATE TABLE configuration_keys (
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    key               TEXT    NOT NULL COLLATE NOCASE,
    value             TEXT,
    readonly          INTEGER NOT NULL CHECK (readonly IN (0, 1)),
    known_at          INTEGER NOT NULL,
    PRIMARY KEY (charge_point_key, key)
) STRICT, WITHOUT ROWID;

-- The device model (OCPP 2.x): the attributes of a charge point's variables as it last reported or accepted them.
-- key: the spelling of all that names one (mcpp.domain.variables); what a charge point leaves out of it is '' or 0.
-- A secret one has no value here. What it never told of the others is NULL.
CREATE TABLE device_variables (
    charge_point_key     INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    key                  TEXT    NOT NULL COLLATE NOCASE,
    component            TEXT    NOT NULL COLLATE NOCASE,
    component_instance   TEXT    NOT NULL COLLATE NOCASE,
    evse_id              INTEGER NOT NULL,
    connector_id         INTEGER NOT NULL,
    variable             TEXT    NOT NULL COLLATE NOCASE,
    variable_instance    TEXT    NOT NULL COLLATE NOCASE,
    attribute            TEXT    NOT NULL CHECK (attribute IN ('Actual', 'Target', 'MinSet', 'MaxSet')),
    value                TEXT,
    mutability           TEXT    CHECK (mutability IN ('ReadOnly', 'WriteOnly', 'ReadWrite')),
    data_type            TEXT,
    unit                 TEXT,
    min_limit            TEXT,
    max_limit            TEXT,
    max_elements         INTEGER,
    values_list          TEXT,
    supports_monitoring  INTEGER CHECK (supports_monitoring IN (0, 1)),
    is_persistent        INTEGER CHECK (is_persistent IN (0, 1)),
    is_constant          INTEGER CHECK (is_constant IN (0, 1)),
    known_at             INTEGER NOT NULL,
    PRIMARY KEY (charge_point_key, key)
) STRICT, WITHOUT ROWID;

-- Monitors of a charge point's variables, by the id that it gave them. variable_key: as device_variables.key.
-- origin: who made it, where that is told. stream_id: the event stream that sends its variable's values (OCPP 2.1).
CREATE TABLE device_monitors (
    charge_point_key     INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    monitor_id           INTEGER NOT NULL,
    variable_key         TEXT    NOT NULL COLLATE NOCASE,
    component            TEXT    NOT NULL,
    component_instance   TEXT    NOT NULL,
    evse_id              INTEGER NOT NULL,
    connector_id         INTEGER NOT NULL,
    variable             TEXT    NOT NULL,
    variable_instance    TEXT    NOT NULL,
    type                 TEXT    NOT NULL,
    value                TEXT    NOT NULL,
    severity             INTEGER NOT NULL,
    is_transaction_only  INTEGER NOT NULL CHECK (is_transaction_only IN (0, 1)),
    origin               TEXT,
    stream_id            INTEGER,
    known_at             INTEGER NOT NULL,
    PRIMARY KEY (charge_point_key, monitor_id)
) STRICT, WITHOUT ROWID;

-- What a charge point told of its devices: of variables, and of what else happens in it, by kind; the newest
-- (mcpp.bounds). subject: what it is about, as device_variables.key where that is a variable.
-- event_id: 0 where it gives none. details: JSON, what the other columns don't say.
CREATE TABLE device_events (
    id                   INTEGER PRIMARY KEY,
    charge_point_key     INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    kind                 TEXT    NOT NULL CHECK (kind IN (
        'variable', 'der_alarm', 'der_control', 'battery_swap', 'charging_limit', 'charging_needs', 'charging_schedule',
        'priority_charging', 'settlement'
    )),
    event_id             INTEGER NOT NULL,
    occurred_at          INTEGER NOT NULL,
    subject              TEXT    NOT NULL COLLATE NOCASE,
    component            TEXT    NOT NULL,
    component_instance   TEXT    NOT NULL,
    evse_id              INTEGER NOT NULL,
    connector_id         INTEGER NOT NULL,
    variable             TEXT    NOT NULL,
    variable_instance    TEXT    NOT NULL,
    value                TEXT,
    trigger              TEXT,
    cause                INTEGER,
    severity             INTEGER,
    is_cleared           INTEGER NOT NULL CHECK (is_cleared IN (0, 1)),
    tech_code            TEXT,
    tech_info            TEXT,
    monitor_id           INTEGER,
    origin               TEXT,
    ocpp_transaction_id  TEXT,
    details              TEXT    NOT NULL,
    received_at          INTEGER NOT NULL,
    UNIQUE (charge_point_key, kind, event_id, occurred_at, subject, is_cleared)
) STRICT;

CREATE INDEX device_events_by_charge_point ON device_events (charge_point_key, id);

-- Reports that a charge point sends in chunks under the id of the request that asked for it.
-- is_full: it names all that there is, so that what it doesn't name is gone. is_complete: its last chunk came.
-- requested_at: when the charge point agreed to send it; NULL where that isn't known.
CREATE TABLE device_reports (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    kind              TEXT    NOT NULL CHECK (kind IN (
        'variables', 'monitors', 'customer_information', 'charging_profiles', 'display_messages', 'der_controls',
        'installed_certificates', 'event_streams', 'event_stream_values', 'dynamic_schedules', 'tariffs'
    )),
    request_id        INTEGER NOT NULL,
    requested_at      INTEGER,
    first_at          INTEGER,
    last_at           INTEGER,
    is_full           INTEGER NOT NULL CHECK (is_full IN (0, 1)),
    is_complete       INTEGER NOT NULL CHECK (is_complete IN (0, 1)),
    UNIQUE (charge_point_key, kind, request_id)
) STRICT;

CREATE INDEX device_reports_by_request ON device_reports (charge_point_key, request_id);
CREATE INDEX device_reports_by_charge_point ON device_reports (charge_point_key, id);

-- position: in the order in which they came, since seq_no needn't count. content: JSON, secrets masked.
CREATE TABLE device_report_chunks (
    report_id    INTEGER NOT NULL REFERENCES device_reports (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    seq_no       INTEGER NOT NULL,
    is_last      INTEGER NOT NULL CHECK (is_last IN (0, 1)),
    content      TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    PRIMARY KEY (report_id, position)
) STRICT, WITHOUT ROWID;

-- Which version of the local authorization list a charge point has: 0 for an empty one, -1 where it knows no lists.
CREATE TABLE local_lists (
    charge_point_key  INTEGER NOT NULL PRIMARY KEY REFERENCES charge_points (key) ON DELETE CASCADE,
    version           INTEGER NOT NULL,
    known_at          INTEGER NOT NULL
) STRICT;

-- digest: the first 16 bytes of the SHA-256 of type and tech_info, which tells a repeat in an index without the texts.
CREATE TABLE security_events (
    id                INTEGER PRIMARY KEY,
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    type              TEXT    NOT NULL,
    occurred_at       INTEGER NOT NULL,
    tech_info         TEXT    NOT NULL,
    digest            BLOB    NOT NULL,
    received_at       INTEGER NOT NULL,
    UNIQUE (charge_point_key, occurred_at, digest)
) STRICT;

-- The conformance record of a charge point: its departures from the contract, by rule and place, for as long as it says
-- that it is of this vendor, model and firmware; '' where it doesn't say. Bounded: see mcpp.domain.conformance.
-- message: in a CALL of its own, in its answer to one of ours, or in neither, such as a handshake.
-- field: the place in the payload, without list indexes. example: what came last, secrets masked; taken_as: as what.
CREATE TABLE departures (
    id                INTEGER PRIMARY KEY,
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    vendor            TEXT    NOT NULL,
    model             TEXT    NOT NULL,
    firmware_version  TEXT    NOT NULL,
    action            TEXT    NOT NULL,
    message           TEXT    NOT NULL CHECK (message IN ('call', 'answer', 'other')),
    rule              TEXT    NOT NULL,
    field             TEXT    NOT NULL,
    times             INTEGER NOT NULL,
    first_at          INTEGER NOT NULL,
    last_at           INTEGER NOT NULL,
    example           TEXT    NOT NULL,
    taken_as          TEXT    NOT NULL,
    UNIQUE (charge_point_key, vendor, model, firmware_version, action, message, rule, field)
) STRICT;

CREATE INDEX departures_by_firmware
    ON departures (vendor, model, firmware_version, action, message, rule, field, last_at);
CREATE INDEX departures_by_first ON departures (first_at, charge_point_key);

-- token_type: as what it has to be presented, where a version tells types (OCPP 2.0.1); NULL: as anything.
CREATE TABLE id_tags (
    id_tag         TEXT    NOT NULL COLLATE NOCASE PRIMARY KEY,
    status         TEXT    NOT NULL CHECK (status IN ('Accepted', 'Blocked', 'Expired', 'Invalid')),
    expiry_date    INTEGER,
    parent_id_tag  TEXT    COLLATE NOCASE,
    note           TEXT,
    token_type     TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX id_tags_without_dashes ON id_tags (CAST(replace(id_tag, '-', '') AS TEXT) COLLATE NOCASE);

-- Cards that were presented and aren't stored, or were refused, with the last verdict; the newest 1,000
-- (mcpp.domain.cards).
CREATE TABLE unknown_id_tags (
    id_tag            TEXT    NOT NULL COLLATE NOCASE,
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    status            TEXT    NOT NULL,
    times             INTEGER NOT NULL,
    first_at          INTEGER NOT NULL,
    last_at           INTEGER NOT NULL,
    PRIMARY KEY (id_tag, charge_point_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX unknown_id_tags_by_time ON unknown_id_tags (last_at, id_tag, charge_point_key);
CREATE INDEX unknown_id_tags_by_charge_point ON unknown_id_tags (charge_point_key);

-- AUTOINCREMENT: an id that was given to a charger once is never given again, also after a purge.
-- connector_id, evse_id: the connector's numbers as OCPP has them, a copy for the index.
-- ocpp_transaction_id: the charger's own id, of up to 36 characters; NULL where ours is the only one (1.6).
-- meter_start: -1 where none was told.
-- stop_match: how the charger's stop found it, by its id or by a guess, which yields to a stop that names it.
-- energy_wh: what was delivered, by the evidence of mcpp.domain.evidence; 0 where implausible_reason says why no
-- reading can be believed. correction_id: the newest correction by a person, which counts in place of it.
-- suspicion: what spoke last against an open transaction; suspicion_at: of when that is, by the charge point's clock
-- where it gave a time; grace_began_at: since when, by ours, the charge point could have sent more of it. A recovered
-- one has a grace period too, once values came late. samples_thinned: only its samples of energy are kept.
CREATE TABLE transactions (
    id                      INTEGER PRIMARY KEY AUTOINCREMENT,
    charge_point_key        INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    connector_key           INTEGER NOT NULL REFERENCES connectors (key) ON DELETE CASCADE,
    connector_id            INTEGER NOT NULL,
    ocpp_transaction_id     TEXT,
    id_tag                  TEXT    NOT NULL COLLATE NOCASE,
    reservation_id          INTEGER,
    meter_start             INTEGER NOT NULL,
    meter_stop              INTEGER,
    started_at              INTEGER NOT NULL,
    start_received_at       INTEGER NOT NULL,
    stopped_at              INTEGER,
    stop_received_at        INTEGER,
    stop_id_tag             TEXT    COLLATE NOCASE,
    stop_reason             TEXT,
    stop_origin             TEXT    CHECK (stop_origin IN ('charger', 'recovered', 'operator')),
    stop_match              TEXT    CHECK (stop_match IN ('named', 'guessed')),
    evidence                TEXT,
    energy_wh               INTEGER,
    implausible_reason      TEXT    CHECK (implausible_reason IN (
        'negative_energy', 'sentinel', 'more_than_possible', 'no_reading'
    )),
    correction_id           INTEGER REFERENCES transaction_corrections (id),
    session_correlation_id  TEXT    NOT NULL,
    suspicion               TEXT    CHECK (suspicion IN (
        'connector_available', 'boot', 'version_change'
    )),
    suspicion_at            INTEGER,
    grace_began_at          INTEGER,
    samples_thinned         INTEGER NOT NULL DEFAULT 0 CHECK (samples_thinned IN (0, 1)),
    evse_id                 INTEGER NOT NULL DEFAULT 0,
    CHECK ((stopped_at IS NULL) = (stop_origin IS NULL)),
    CHECK ((stop_match IS NOT NULL) = (stop_origin IS 'charger')),
    CHECK ((stopped_at IS NULL) = (meter_stop IS NULL)),
    CHECK ((stopped_at IS NULL) = (energy_wh IS NULL)),
    CHECK ((suspicion IS NULL) = (suspicion_at IS NULL)),
    CHECK (suspicion IS NULL OR stopped_at IS NULL),
    CHECK ((grace_began_at IS NOT NULL) = (suspicion IS NOT NULL) OR stop_origin IS 'recovered')
) STRICT;

-- What persons say that a transaction took, each one in place of the one before.
CREATE TABLE transaction_corrections (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_id  INTEGER NOT NULL REFERENCES transactions (id) ON DELETE CASCADE,
    energy_wh       INTEGER NOT NULL,
    note            TEXT    NOT NULL,
    who             TEXT    NOT NULL,
    corrected_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX transaction_corrections_by_transaction ON transaction_corrections (transaction_id, id);

CREATE INDEX transactions_by_ocpp_id ON transactions (charge_point_key, ocpp_transaction_id)
    WHERE ocpp_transaction_id IS NOT NULL;
-- One open transaction for each connector where we give the only id; else that is the domain's to see to.
CREATE UNIQUE INDEX transactions_open_by_connector ON transactions (connector_key, coalesce(ocpp_transaction_id, ''))
    WHERE stopped_at IS NULL;
CREATE INDEX transactions_open ON transactions (started_at, id) WHERE stopped_at IS NULL;
CREATE INDEX transactions_suspected ON transactions (grace_began_at) WHERE grace_began_at IS NOT NULL;
CREATE INDEX transactions_by_start ON transactions (started_at, id);
-- With what a sum over a span of time needs, so that it reads nothing else.
CREATE INDEX transactions_by_stop ON transactions (stopped_at, id, energy_wh, implausible_reason, correction_id)
    WHERE stopped_at IS NOT NULL;
CREATE INDEX transactions_by_charge_point ON transactions (charge_point_key, started_at, id);
CREATE INDEX transactions_by_connector ON transactions (connector_key, started_at, id);
CREATE INDEX transactions_by_connector_id ON transactions (connector_id, started_at, id);
CREATE INDEX transactions_by_charger_stop ON transactions (charge_point_key, stopped_at) WHERE stop_origin = 'charger';
CREATE INDEX transactions_recovered ON transactions (charge_point_key, id) WHERE stop_origin = 'recovered';
CREATE INDEX transactions_recovered_by_end ON transactions (stop_received_at, id) WHERE stop_origin = 'recovered';
CREATE INDEX transactions_implausible_by_end ON transactions (stop_received_at, id)
    WHERE implausible_reason IS NOT NULL AND correction_id IS NULL;
CREATE INDEX transactions_recovered_by_start ON transactions (started_at, id) WHERE stop_origin = 'recovered';
CREATE INDEX transactions_implausible ON transactions (started_at, id)
    WHERE implausible_reason IS NOT NULL AND correction_id IS NULL;
CREATE INDEX transactions_unthinned ON transactions (start_received_at)
    WHERE stopped_at IS NOT NULL AND samples_thinned = 0;
CREATE INDEX transactions_corrected ON transactions (correction_id) WHERE correction_id IS NOT NULL;
CREATE INDEX transactions_by_id_tag ON transactions (id_tag, started_at, id);
CREATE INDEX transactions_by_id_tag_and_stop ON transactions (id_tag, stopped_at) WHERE stopped_at IS NOT NULL;
-- A day in milliseconds: what became known later than that may be too late for the statement of its month.
CREATE INDEX transactions_known_late ON transactions (id_tag, stop_received_at)
    WHERE stop_received_at > stopped_at + 86400000;

-- What is known of a transaction whose charger reports it by events, beside the row itself.
-- charging_state: the newest that was told, with its time. meter_start_at: when the register that is meter_start was
-- measured; meter_start_basis: how good a start it is, less is better (mcpp.domain.told_registers); NULL before any was
-- told. remote_start_id: of the command that asked for it. id_tag_type: of the token that id_tag is, as the charger says.
CREATE TABLE transaction_states (
    transaction_id     INTEGER NOT NULL PRIMARY KEY REFERENCES transactions (id) ON DELETE CASCADE,
    charging_state     TEXT    CHECK (charging_state IN (
        'Charging', 'EVConnected', 'SuspendedEV', 'SuspendedEVSE', 'Idle'
    )),
    charging_state_at  INTEGER,
    meter_start_at     INTEGER,
    meter_start_basis  INTEGER,
    remote_start_id    INTEGER,
    id_tag_type        TEXT
) STRICT;

-- Its events, each once however often it came. seq_no: the charger's count, which some let stand at 0: so the key is
-- wider. trigger_reason: in the charger's words. '' where it left something out.
CREATE TABLE transaction_events (
    transaction_id  INTEGER NOT NULL REFERENCES transactions (id) ON DELETE CASCADE,
    happened_at     INTEGER NOT NULL,
    seq_no          INTEGER NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('started', 'updated', 'ended')),
    trigger_reason  TEXT    NOT NULL,
    charging_state  TEXT    NOT NULL,
    id_tag          TEXT    NOT NULL COLLATE NOCASE,
    id_tag_type     TEXT    NOT NULL,
    is_offline      INTEGER NOT NULL CHECK (is_offline IN (0, 1)),
    received_at     INTEGER NOT NULL,
    PRIMARY KEY (transaction_id, happened_at, seq_no, kind, trigger_reason, charging_state, id_tag)
) STRICT, WITHOUT ROWID;

-- What counted for an ended transaction until something else did: a stop that came later, values that came after it, a
-- person's correction. Only added to. stop_received_at to correction_id: as they were; id_tag: a copy for the index.
CREATE TABLE superseded_ends (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_id      INTEGER NOT NULL REFERENCES transactions (id) ON DELETE CASCADE,
    id_tag              TEXT    NOT NULL COLLATE NOCASE,
    superseded_at       INTEGER NOT NULL,
    stop_received_at    INTEGER,
    stopped_at          INTEGER NOT NULL,
    meter_stop          INTEGER NOT NULL,
    stop_origin         TEXT    NOT NULL CHECK (stop_origin IN ('charger', 'recovered', 'operator')),
    energy_wh           INTEGER NOT NULL,
    implausible_reason  TEXT,
    correction_id       INTEGER REFERENCES transaction_corrections (id) ON DELETE CASCADE
) STRICT;

CREATE INDEX superseded_ends_by_transaction ON superseded_ends (transaction_id, id);
CREATE INDEX superseded_ends_by_id_tag ON superseded_ends (id_tag, transaction_id, id);
CREATE INDEX superseded_ends_by_correction ON superseded_ends (correction_id) WHERE correction_id IS NOT NULL;

-- Those whom sessions are charged to: persons, flats, vehicles. The id is chosen by whoever makes one.
CREATE TABLE persons (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    note        TEXT,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whose a card is from a moment on, in the order of that for each card: sessions that began then or later.
-- person_id: NULL where it's nobody's any more. made_at: when that was said.
CREATE TABLE person_cards (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    id_tag     TEXT    NOT NULL COLLATE NOCASE,
    since_at   INTEGER NOT NULL,
    person_id  TEXT    REFERENCES persons (id) ON DELETE SET NULL,
    made_at    INTEGER NOT NULL,
    UNIQUE (id_tag, since_at)
) STRICT;

CREATE INDEX person_cards_by_person ON person_cards (person_id, id_tag) WHERE person_id IS NOT NULL;

-- What a kWh costs a person from a day on, as sessions end in the time zone of the statement: a date such as 2026-03-01.
-- price_per_kwh: NULL where the default holds again.
CREATE TABLE person_prices (
    person_id      TEXT NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    since          TEXT NOT NULL,
    price_per_kwh  TEXT,
    PRIMARY KEY (person_id, since)
) STRICT, WITHOUT ROWID;

-- The settings price-per-kwh and currency as they were from a day on; NULL where they weren't given.
CREATE TABLE default_prices (
    since          TEXT NOT NULL PRIMARY KEY,
    price_per_kwh  TEXT,
    currency       TEXT
) STRICT, WITHOUT ROWID;

-- connector_key: connector 0 reserves any connector of the charge point.
CREATE TABLE reservations (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    reservation_id    INTEGER NOT NULL,
    connector_key     INTEGER NOT NULL REFERENCES connectors (key) ON DELETE CASCADE,
    id_tag            TEXT    NOT NULL COLLATE NOCASE,
    parent_id_tag     TEXT    COLLATE NOCASE,
    expiry_date       INTEGER NOT NULL,
    status            TEXT    NOT NULL CHECK (status IN ('Accepted', 'Used', 'Cancelled', 'Expired')),
    created_at        INTEGER NOT NULL,
    transaction_id    INTEGER REFERENCES transactions (id) ON DELETE SET NULL,
    UNIQUE (reservation_id, charge_point_key)
) STRICT;

CREATE INDEX reservations_by_charge_point ON reservations (charge_point_key, id);
CREATE INDEX reservations_by_end ON reservations (charge_point_key, expiry_date);
CREATE INDEX reservations_by_status ON reservations (status, id);
CREATE INDEX reservations_by_transaction ON reservations (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX reservations_by_expiry ON reservations (expiry_date) WHERE status = 'Accepted';

-- The last number allotted of each kind: one that was given to a charger once is never given again.
CREATE TABLE allotments (
    kind         TEXT    NOT NULL PRIMARY KEY,
    last_number  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- There from the beginning, so that a restored database can move it ahead.
INSERT INTO allotments (kind, last_number) VALUES ('reservation', 0), ('request', 0), ('remote_start', 0);

-- Charging profiles that commands refer to by name: JSON in OCPP's spelling, as it was given.
CREATE TABLE charging_profiles (
    name          TEXT    NOT NULL PRIMARY KEY,
    profile       TEXT    NOT NULL,
    ocpp_version  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- What plugins remember: JSON, by plugin and a key of its own.
CREATE TABLE plugin_memory (
    plugin  TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;

-- What a sampled value says of itself; a few dozen rows, so that a sample is small. '' where the charger left it out.
CREATE TABLE sample_kinds (
    id         INTEGER PRIMARY KEY,
    measurand  TEXT    NOT NULL,
    phase      TEXT    NOT NULL,
    unit       TEXT    NOT NULL,
    context    TEXT    NOT NULL,
    location   TEXT    NOT NULL,
    format     TEXT    NOT NULL,
    UNIQUE (measurand, phase, unit, context, location, format)
) STRICT;

-- The samples of one moment. Those that came first share a row, in the order sent; one of the same moment that comes
-- later has a row of its own. So each is stored once, whatever the charger groups and repeats.
-- samples: a JSON list of texts, each a key of sample_kinds, a space and the value.
-- late_sample: '' in the row of those that came first, else that one text; position: its place in the charger's list.
-- energy: those of the samples that speak of imported energy, the same texts joined by commas; NULL where none does.
-- origin: of the message: 0 names the transaction and comes from its connector, 1 names none, 2 comes from elsewhere.
CREATE TABLE transaction_readings (
    transaction_id  INTEGER NOT NULL REFERENCES transactions (id) ON DELETE CASCADE,
    measured_at     INTEGER NOT NULL,
    late_sample     TEXT    NOT NULL,
    position        INTEGER NOT NULL,
    samples         TEXT    NOT NULL,
    energy          TEXT,
    origin          INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    PRIMARY KEY (transaction_id, measured_at, late_sample)
) STRICT, WITHOUT ROWID;

-- The same of what no transaction was running for.
CREATE TABLE connector_readings (
    connector_key  INTEGER NOT NULL REFERENCES connectors (key) ON DELETE CASCADE,
    measured_at    INTEGER NOT NULL,
    late_sample    TEXT    NOT NULL,
    position       INTEGER NOT NULL,
    samples        TEXT    NOT NULL,
    received_at    INTEGER NOT NULL,
    PRIMARY KEY (connector_key, measured_at, late_sample)
) STRICT, WITHOUT ROWID;

-- A row for each sample. position: the place in the charger's list.
CREATE VIEW transaction_samples AS
SELECT
    r.transaction_id,
    r.measured_at,
    CAST(coalesce(json_each.value, 0) AS INTEGER) AS kind_id,
    CAST(coalesce(substr(json_each.value, instr(json_each.value, ' ') + 1), '') AS TEXT) AS value,
    CAST(coalesce(r.position + json_each.key, 0) AS INTEGER) AS position,
    r.received_at
FROM transaction_readings AS r, json_each(r.samples);

CREATE VIEW connector_samples AS
SELECT
    r.connector_key,
    r.measured_at,
    CAST(coalesce(json_each.value, 0) AS INTEGER) AS kind_id,
    CAST(coalesce(substr(json_each.value, instr(json_each.value, ' ') + 1), '') AS TEXT) AS value,
    CAST(coalesce(r.position + json_each.key, 0) AS INTEGER) AS position,
    r.received_at
FROM connector_readings AS r, json_each(r.samples);

-- Stops and meter values that belong to no known transaction: kept whole, as JSON in the spelling of ocpp_version; of a
-- charge point as many as mcpp.bounds has it.
-- payload_digest: the first 16 bytes of the SHA-256 of payload, which tells a repeat in an index without the payload.
-- stopped_at to stop_reason: of a stop. transaction_id: whose end it became, by a guess, as evidence or as a person said;
-- it's unmatched no more, unless a stop that names that transaction takes its place.
CREATE TABLE unmatched (
    id                      INTEGER PRIMARY KEY AUTOINCREMENT,
    charge_point_key        INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    kind                    TEXT    NOT NULL CHECK (kind IN ('stop', 'meter_values')),
    ocpp_version            TEXT    NOT NULL,
    claimed_transaction_id  INTEGER NOT NULL,
    payload                 TEXT    NOT NULL,
    payload_bytes           INTEGER NOT NULL,
    payload_digest          BLOB    NOT NULL,
    received_at             INTEGER NOT NULL,
    stopped_at              INTEGER,
    meter_stop              INTEGER,
    id_tag                  TEXT    COLLATE NOCASE,
    stop_reason             TEXT,
    transaction_id          INTEGER REFERENCES transactions (id) ON DELETE CASCADE,
    UNIQUE (charge_point_key, kind, claimed_transaction_id, payload_digest),
    CHECK ((kind = 'stop') = (stopped_at IS NOT NULL)),
    CHECK ((kind = 'stop') = (meter_stop IS NOT NULL)),
    CHECK ((kind = 'stop') = (stop_reason IS NOT NULL)),
    CHECK (kind = 'stop' OR transaction_id IS NULL)
) STRICT;

CREATE INDEX unmatched_listed ON unmatched (id) WHERE transaction_id IS NULL;
CREATE INDEX unmatched_by_receipt ON unmatched (charge_point_key, received_at) WHERE transaction_id IS NULL;
CREATE INDEX unmatched_stops ON unmatched (charge_point_key, stopped_at) WHERE kind = 'stop';
CREATE INDEX unmatched_by_size ON unmatched (charge_point_key, payload_bytes);
CREATE INDEX unmatched_stops_waiting ON unmatched (charge_point_key, id) WHERE kind = 'stop' AND transaction_id IS NULL;
CREATE INDEX unmatched_by_transaction ON unmatched (transaction_id) WHERE transaction_id IS NOT NULL;

-- Rows as the API shows them: by the names that people and chargers use.
CREATE VIEW transaction_records AS
SELECT
    t.id AS transaction_id,
    p.identity AS charge_point_id,
    t.evse_id,
    t.connector_id,
    t.ocpp_transaction_id,
    t.id_tag,
    t.reservation_id,
    t.meter_start,
    t.meter_stop,
    t.started_at,
    t.stopped_at,
    t.stop_reason,
    t.stop_origin,
    t.evidence,
    t.energy_wh,
    t.implausible_reason,
    t.session_correlation_id,
    t.start_received_at,
    t.stop_received_at,
    t.correction_id,
    r.energy_wh AS corrected_wh,
    r.note AS correction_note,
    r.who AS corrected_by,
    r.corrected_at
FROM transactions AS t
JOIN charge_points AS p ON p.key = t.charge_point_key
LEFT JOIN transaction_corrections AS r ON r.id = t.correction_id;

CREATE VIEW reservation_records AS
SELECT
    r.id,
    r.reservation_id,
    p.identity AS charge_point_id,
    c.evse_id,
    c.connector_id,
    r.id_tag,
    r.parent_id_tag,
    r.expiry_date,
    r.status,
    r.created_at,
    r.transaction_id
FROM reservations AS r
JOIN charge_points AS p ON p.key = r.charge_point_key
JOIN connectors AS c ON c.key = r.connector_key;

CREATE VIEW unmatched_records AS
SELECT u.id, p.identity AS charge_point_id, u.kind, u.ocpp_version, u.claimed_transaction_id, u.payload, u.received_at
FROM unmatched AS u
JOIN charge_points AS p ON p.key = u.charge_point_key
WHERE u.transaction_id IS NULL;

-- Firmware that chargers fetch. On disk a file is called by its stored_name.
CREATE TABLE firmware_images (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL UNIQUE,
    stored_name  TEXT    NOT NULL UNIQUE,
    size_bytes   INTEGER NOT NULL,
    sha256       TEXT    NOT NULL,
    stored_at    INTEGER NOT NULL
) STRICT;

-- Links by which a firmware image is fetched, or a charge point puts files. Only the hash of a link's token is kept.
CREATE TABLE file_links (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    token_sha256      TEXT    NOT NULL UNIQUE,
    firmware_id       INTEGER REFERENCES firmware_images (id) ON DELETE CASCADE,
    charge_point_key  INTEGER REFERENCES charge_points (key) ON DELETE CASCADE,
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    CHECK ((firmware_id IS NULL) <> (charge_point_key IS NULL))
) STRICT;

CREATE INDEX file_links_by_expiry ON file_links (expires_at);

-- Diagnostics and logs that charge points have put. link_id: of a link that may have expired since.
CREATE TABLE uploads (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    link_id           INTEGER NOT NULL,
    name              TEXT    NOT NULL,
    stored_name       TEXT    NOT NULL UNIQUE,
    size_bytes        INTEGER NOT NULL,
    sha256            TEXT    NOT NULL,
    received_at       INTEGER NOT NULL,
    UNIQUE (link_id, name)
) STRICT;

CREATE INDEX uploads_by_charge_point ON uploads (charge_point_key, id);

CREATE VIEW upload_records AS
SELECT u.id, p.identity AS charge_point_id, u.name, u.stored_name, u.size_bytes, u.sha256, u.received_at
FROM uploads AS u
JOIN charge_points AS p ON p.key = u.charge_point_key;

-- When the server ran: one row for each time it was started, the newest are kept. newest_at: up to when it has told times,
-- within some seconds. A clock that shows less at the next start is wrong.
CREATE TABLE server_runs (
    id         INTEGER PRIMARY KEY,
    began_at   INTEGER NOT NULL,
    newest_at  INTEGER NOT NULL
) STRICT;

-- Signing requests of charge points and the certificates that the built-in authority made of them. A row outlives its
-- charge point, so that what was revoked stays so. charge_point_id: the identity that it was made for.
-- status: pending: waits for an operator; approved: signed, and sent until the charge point answers; issued: it has
-- taken it; failed: it refused it; rejected: an operator did; superseded: a newer one came in its place.
-- approved_by: what let it be signed. reason: why it was rejected, revoked or refused.
CREATE TABLE certificates (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    charge_point_key  INTEGER REFERENCES charge_points (key) ON DELETE SET NULL,
    charge_point_id   TEXT    NOT NULL,
    status            TEXT    NOT NULL CHECK (status IN (
        'pending', 'approved', 'issued', 'failed', 'rejected', 'superseded', 'revoked'
    )),
    subject           TEXT    NOT NULL,
    key_type          TEXT    NOT NULL,
    csr               TEXT    NOT NULL,
    request_id        INTEGER,
    requested_at      INTEGER NOT NULL,
    approved_by       TEXT    CHECK (approved_by IN ('operator', 'window', 'renewal', 'roll_out')),
    decided_at        INTEGER,
    certificate       TEXT,
    serial_number     TEXT    UNIQUE,
    issued_at         INTEGER,
    expires_at        INTEGER,
    answered_at       INTEGER,
    revoked_at        INTEGER,
    reason            TEXT,
    CHECK ((certificate IS NULL) = (serial_number IS NULL)),
    CHECK ((certificate IS NULL) = (expires_at IS NULL)),
    CHECK ((certificate IS NULL) = (issued_at IS NULL)),
    CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
    CHECK (certificate IS NOT NULL OR status IN ('pending', 'rejected', 'superseded'))
) STRICT;

CREATE INDEX certificates_by_charge_point ON certificates (charge_point_key, id);
CREATE INDEX certificates_by_identity ON certificates (charge_point_id, id);
CREATE INDEX certificates_by_status ON certificates (status, id);
CREATE INDEX certificates_by_end ON certificates (expires_at) WHERE certificate IS NOT NULL;

-- How far the roll-out of security profile 3 to a charge point is: a row for each step, in their order.
-- answer: what the charge point said to it, or why it failed; changed_at: since when the step is in that state.
CREATE TABLE roll_out_steps (
    charge_point_key  INTEGER NOT NULL REFERENCES charge_points (key) ON DELETE CASCADE,
    position          INTEGER NOT NULL,
    step              TEXT    NOT NULL CHECK (step IN (
        'install_root', 'request_certificate', 'certificate', 'security_profile', 'reconnect'
    )),
    state             TEXT    NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    answer            TEXT,
    changed_at        INTEGER NOT NULL,
    PRIMARY KEY (charge_point_key, position)
) STRICT, WITHOUT ROWID;

-- Named tokens of the HTTP API. hash: SHA-256 of the token, which stands nowhere. last_used_at: within a minute or so.
CREATE TABLE tokens (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    role          TEXT    NOT NULL CHECK (role IN ('operator', 'viewer')),
    hash          BLOB    NOT NULL UNIQUE,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER
) STRICT;

-- Browsers that are logged in. hash: of the secret in the browser's cookie. token_id: of the token it was logged in
-- with; null for the setting api-token, which then is part of what was hashed.
CREATE TABLE logins (
    hash        BLOB    NOT NULL PRIMARY KEY,
    token_id    INTEGER REFERENCES tokens (id) ON DELETE CASCADE,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_by_token ON logins (token_id);
CREATE INDEX logins_by_end ON logins (expires_at);
