-- The visitor whose basket it is, until the end of the transaction. $1 the visitor.
SELECT set_config('souk.visitor', $1, true)
