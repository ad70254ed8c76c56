-- What providers tell of a message after they have taken it: it arrived, or it could not be delivered. They name it by the key that we gave them.

ALTER TABLE souk.outbox ADD COLUMN delivered_at timestamptz;
ALTER TABLE souk.outbox ADD COLUMN unsure boolean NOT NULL DEFAULT false;  -- nobody noted what the provider answered last: it may have it
CREATE UNIQUE INDEX outbox_key ON souk.outbox (key);
