-- $1 name, $2 locale -> the owner's texts of that template and of the layout: is it the layout's, part, body.
SELECT name = 'layout', part, body FROM souk.templates WHERE name IN ($1, 'layout') AND locale = $2
