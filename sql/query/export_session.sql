-- Times are written the same everywhere.
SELECT set_config('datestyle', 'ISO, YMD', true), set_config('timezone', 'UTC', true)
