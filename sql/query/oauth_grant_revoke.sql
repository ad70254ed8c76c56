-- $1 grant: it ends with all its tokens -> its id; no row when there is none that has not ended.
SELECT $1::text WHERE souk.oauth_end($1::bigint, 'command line', 'command line')
