-- Work off one event of the inbox. -> {event, outcome}, NULL when none is due.
SELECT shop.payment_event_next()
