-- With which options a file was tried. $1 id, $2 JSON object.
UPDATE souk.uploads SET options = $2::jsonb WHERE id = $1
