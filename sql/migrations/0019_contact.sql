-- People without an account or an order write to the shop; what was proven can be ended before its time.

-- Who wrote: tickets whose visitor begins with "contact:" were opened by somebody who had shown nothing. They are answered at their address, and shown to
-- whoever has proven it with a code that was sent there.
ALTER TABLE shop.tickets ADD name text CHECK (length(name) BETWEEN 1 AND 200);
ALTER TABLE shop.tickets ADD email_verified boolean; -- NULL: known otherwise
CREATE INDEX tickets_email ON shop.tickets (lower(email), created_at) WHERE email IS NOT NULL;
ALTER TABLE souk.login_codes ADD ticket_id bigint REFERENCES shop.tickets ON DELETE CASCADE CHECK (purpose = 'guest' OR ticket_id IS NULL);
CREATE INDEX login_codes_ticket ON souk.login_codes (ticket_id) WHERE ticket_id IS NOT NULL;

-- Handles (gst_, cst_) that somebody logged out of; kept until they would have ended anyway.
CREATE TABLE souk.ended_handles (
	hash bytea PRIMARY KEY,                          -- of the handle
	expires_at timestamptz NOT NULL
);
CREATE INDEX ended_handles_expires ON souk.ended_handles (expires_at);
ALTER TABLE souk.ended_handles ENABLE ROW LEVEL SECURITY;
ALTER TABLE souk.ended_handles FORCE ROW LEVEL SECURITY;

-- A product that is removed is looked for on both sides.
CREATE INDEX product_pairs_other ON shop.product_pairs (other_id);
