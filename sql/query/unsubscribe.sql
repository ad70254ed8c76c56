-- The recipient of message $1 wants no more on its channel; $2 false: only look -> {channel, address (masked), done}; NULL: no such message.
SELECT souk.unsubscribe($1::bigint, $2::boolean)
