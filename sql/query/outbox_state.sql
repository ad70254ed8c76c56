-- What souk doctor wants to know of the outbox -> rows parked, rows that are due for five minutes and more.
SELECT (souk.outbox_state()).*
