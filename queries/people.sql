-- One person.
-- name: GetPerson :one
SELECT * FROM persons WHERE id = @id;

-- Persons in the order of their ids, a page at a time.
-- name: ListPeople :many
SELECT * FROM persons WHERE id > @after ORDER BY id LIMIT @page_size;

-- Every person.
-- name: ListAllPeople :many
SELECT * FROM persons ORDER BY id;

-- How many persons there are.
-- name: CountPeople :one
SELECT count(*) FROM persons;

-- Make a person or change one.
-- name: PutPerson :exec
INSERT INTO persons (id, name, note, created_at) VALUES (@id, @name, @note, @created_at)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, note = excluded.note;

-- Forget a person; what they had of cards is nobody's.
-- name: DeletePerson :execrows
DELETE FROM persons WHERE id = @id;

-- Whose each card is, from when on, in that order.
-- name: ListCards :many
SELECT * FROM person_cards ORDER BY id_tag, since_at;

-- From when on a person has had cards, in the order of the cards.
-- name: ListCardsOfPerson :many
SELECT * FROM person_cards WHERE person_id = @person_id ORDER BY id_tag, since_at;

-- Whose one card is, from when on, in that order.
-- name: ListHoldersOfCard :many
SELECT * FROM person_cards WHERE id_tag = @id_tag ORDER BY since_at;

-- Say whose a card is from a moment on, in place of what was said for that moment.
-- name: PutCard :exec
INSERT INTO person_cards (id_tag, since_at, person_id, made_at) VALUES (@id_tag, @since_at, @person_id, @made_at)
ON CONFLICT (id_tag, since_at) DO UPDATE SET id_tag = excluded.id_tag, person_id = excluded.person_id,
    made_at = excluded.made_at;

-- Every person's prices, in the order of their days.
-- name: ListPrices :many
SELECT * FROM person_prices ORDER BY person_id, since;

-- A person's prices, in the order of their days.
-- name: ListPricesOfPerson :many
SELECT * FROM person_prices WHERE person_id = @person_id ORDER BY since;

-- Store what a kWh costs a person from a day on.
-- name: PutPrice :exec
INSERT INTO person_prices (person_id, since, price_per_kwh) VALUES (@person_id, @since, @price_per_kwh)
ON CONFLICT (person_id, since) DO UPDATE SET price_per_kwh = excluded.price_per_kwh;

-- The default prices, in the order of their days.
-- name: ListDefaultPrices :many
SELECT * FROM default_prices ORDER BY since;

-- Store the default price from a day on.
-- name: PutDefaultPrice :exec
INSERT INTO default_prices (since, price_per_kwh, currency) VALUES (@since, @price_per_kwh, @currency)
ON CONFLICT (since) DO UPDATE SET price_per_kwh = excluded.price_per_kwh, currency = excluded.currency;

-- Keep what counted for an ended transaction before something else does.
-- name: AddSupersededEnd :exec
INSERT INTO superseded_ends (
    transaction_id, id_tag, superseded_at, stop_received_at, stopped_at, meter_stop, stop_origin, energy_wh,
    implausible_reason, correction_id
)
VALUES (
    @transaction_id, @id_tag, @superseded_at, @stop_received_at, @stopped_at, @meter_stop, @stop_origin, @energy_wh,
    @implausible_reason, @correction_id
);

-- How many of a card's transactions that began at a time or later have ended before another.
-- name: CountEndsOfIdTag :one
SELECT count(*) FROM transactions WHERE id_tag = @id_tag AND stopped_at < @ended_before AND started_at >= @since_at;

-- The same, by what counted before something else did.
-- name: CountSupersededEndsOfIdTag :one
SELECT count(*) FROM superseded_ends AS s
JOIN transactions AS t ON t.id = s.transaction_id
WHERE s.id_tag = @id_tag AND s.stopped_at < @ended_before AND t.started_at >= @since_at;

-- A card's transactions that ended in a span of time.
-- name: ListEndsOfIdTag :many
SELECT * FROM transaction_records
WHERE id_tag = @id_tag AND stopped_at >= @since AND stopped_at < @until
ORDER BY stopped_at;

-- A card's transactions whose end became known in a span of time, more than a day after it.
-- name: ListLateEndsOfIdTag :many
SELECT * FROM transaction_records
WHERE id_tag = @id_tag AND stop_received_at > stopped_at + 86400000
    AND stop_received_at >= @since AND stop_received_at < @until
ORDER BY stop_received_at;

-- What counted before for a card's transactions, of each in the order of time, with the corrections that did.
-- name: ListSupersededEndsOfIdTag :many
SELECT s.*, r.energy_wh AS corrected_wh, r.note AS correction_note, r.who AS corrected_by
FROM superseded_ends AS s
LEFT JOIN transaction_corrections AS r ON r.id = s.correction_id
WHERE s.id_tag = @id_tag
ORDER BY s.transaction_id, s.id;
