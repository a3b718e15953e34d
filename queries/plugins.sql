-- Keep what a plugin remembers under a key, in place of what it remembered there before.
-- name: RememberForPlugin :exec
INSERT INTO plugin_memory (plugin, key, value) VALUES (@plugin, @key, @value)
ON CONFLICT (plugin, key) DO UPDATE SET value = excluded.value;

-- Forget what a plugin remembers under a key.
-- name: ForgetForPlugin :exec
DELETE FROM plugin_memory WHERE plugin = @plugin AND key = @key;

-- All that a plugin remembers, in the order of its keys.
-- name: ListPluginMemory :many
SELECT * FROM plugin_memory WHERE plugin = @plugin ORDER BY key;
