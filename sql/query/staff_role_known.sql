-- $1 role -> its title. All roles, when there is none of that name: NULL, and the list.
SELECT (SELECT title FROM souk.roles WHERE role = $1), (SELECT string_agg(role, ', ' ORDER BY role) FROM souk.roles)
