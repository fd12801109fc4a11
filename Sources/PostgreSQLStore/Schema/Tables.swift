#if PostgreSQL
  extension Schema {
    /// Schema 1, in a PostgreSQL schema of its own. All times are milliseconds since 1970, but for those of leases,
    /// which are of the database's clock. What the columns hold is what the embedded store's hold.
    static let tables = """
      CREATE SCHEMA IF NOT EXISTS revoked;

      -- `oldest_release`: the oldest schema number whose programs may still use this one.
      CREATE TABLE revoked.meta (
        id integer PRIMARY KEY CHECK (id = 1),
        schema integer NOT NULL,
        oldest_release integer NOT NULL
      );

      -- Numbers are given out under one lock and set at the end (`setval`), so they follow each other in the order of
      -- the commits, and every append writes to the log, so that it waits for the standby.
      CREATE SEQUENCE revoked.event_number;
      CREATE SEQUENCE revoked.revocation_number;
      -- Set to show that a commit reaches the disk and the standby; what it counts means nothing.
      CREATE SEQUENCE revoked.beat;

      CREATE TABLE revoked.event (
        seq bigint PRIMARY KEY,
        received_at bigint NOT NULL,
        occurred_at bigint,
        key uuid NOT NULL UNIQUE,
        source text NOT NULL,
        name text,
        problem text,
        messages text NOT NULL,
        body bytea NOT NULL
      );
      CREATE INDEX event_undecodable ON revoked.event (seq) WHERE problem IS NOT NULL;

      CREATE TABLE revoked.revocation (
        seq bigint NOT NULL UNIQUE,
        revoked_at bigint NOT NULL,
        remember_from bigint NOT NULL,
        event_seq bigint NOT NULL,
        session uuid PRIMARY KEY,
        revoked_by text NOT NULL,
        event_id text
      );

      CREATE TABLE revoked.cutoff (
        seq bigint PRIMARY KEY,
        before bigint NOT NULL,
        expires_at bigint NOT NULL,
        event_seq bigint NOT NULL,
        kind text NOT NULL CHECK (kind IN ('user', 'environment')),
        id uuid NOT NULL,
        UNIQUE (kind, id)
      );

      -- One row, which no append touches: a row that every append changed would grow a chain of versions while a long
      -- transaction (a dump) is open. The numbers up to which rows were deleted; how many numbers of the feed were left
      -- by a row that moved or was deleted; what the pruner counted, up to which numbers; and how often something
      -- changed that nodes look for, beside new numbers.
      CREATE TABLE revoked.tally (
        id integer PRIMARY KEY CHECK (id = 1),
        last_event bigint NOT NULL DEFAULT 0,
        last_revocation bigint NOT NULL DEFAULT 0,
        departures bigint NOT NULL DEFAULT 0,
        events bigint NOT NULL DEFAULT 0,
        revocations bigint NOT NULL DEFAULT 0,
        counted_event bigint NOT NULL DEFAULT 0,
        counted_revocation bigint NOT NULL DEFAULT 0,
        changes bigint NOT NULL DEFAULT 0
      );
      INSERT INTO revoked.tally (id) VALUES (1);

      -- When Dynamic was heard of last. Each node writes it at most some times a second.
      CREATE TABLE revoked.heard (id integer PRIMARY KEY CHECK (id = 1), at bigint NOT NULL);

      CREATE TABLE revoked.state (name text PRIMARY KEY, value text NOT NULL);
      INSERT INTO revoked.state VALUES ('created-at', (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text);

      CREATE TABLE revoked.feed_epoch (first_seq bigint PRIMARY KEY, id bigint NOT NULL);

      CREATE TABLE revoked.retention (
        id integer PRIMARY KEY CHECK (id = 1),
        period bigint NOT NULL,
        former bigint NOT NULL,
        former_until bigint NOT NULL
      );

      -- `epoch` counts the owners: nothing is recorded under any but the latest.
      CREATE TABLE revoked.handler (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE,
        position bigint NOT NULL,
        added_at bigint NOT NULL,
        retrying bigint NOT NULL DEFAULT 0,
        dead bigint NOT NULL DEFAULT 0,
        removed_at bigint,
        epoch bigint NOT NULL DEFAULT 0,
        owner text,
        lease_until timestamptz
      );

      -- Which nodes have which handlers, and what these want there.
      CREATE TABLE revoked.registration (
        node text NOT NULL,
        handler text NOT NULL,
        patterns text[] NOT NULL,
        until timestamptz NOT NULL,
        PRIMARY KEY (node, handler)
      );

      -- What one node at a time does for all.
      CREATE TABLE revoked.duty (name text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);

      CREATE TABLE revoked.delivery (
        handler_id bigint NOT NULL,
        event_seq bigint NOT NULL,
        attempts integer NOT NULL,
        attempted_at bigint NOT NULL,
        next_at bigint,
        last_error text NOT NULL,
        attempt_times text NOT NULL DEFAULT '',
        crashes integer NOT NULL DEFAULT 0,
        PRIMARY KEY (handler_id, event_seq)
      );
      CREATE INDEX delivery_due ON revoked.delivery (handler_id, next_at) WHERE next_at IS NOT NULL;
      CREATE INDEX delivery_retrying ON revoked.delivery (handler_id, event_seq) WHERE next_at IS NOT NULL;
      CREATE INDEX delivery_dead ON revoked.delivery (handler_id, event_seq) WHERE next_at IS NULL;

      -- Whoever changes deliveries locks their handlers' rows first, in the order of their ids: the counts below are
      -- written to them.
      CREATE FUNCTION revoked.count_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' THEN
          UPDATE revoked.handler SET retrying = handler.retrying + c.retrying, dead = handler.dead + c.dead
          FROM (SELECT handler_id, count(next_at) AS retrying, count(*) - count(next_at) AS dead
            FROM added GROUP BY handler_id) c WHERE handler.id = c.handler_id;
        ELSIF TG_OP = 'DELETE' THEN
          UPDATE revoked.handler SET retrying = handler.retrying - c.retrying, dead = handler.dead - c.dead
          FROM (SELECT handler_id, count(next_at) AS retrying, count(*) - count(next_at) AS dead
            FROM gone GROUP BY handler_id) c WHERE handler.id = c.handler_id;
        ELSE
          UPDATE revoked.handler SET retrying = handler.retrying + c.retrying, dead = handler.dead - c.retrying
          FROM (SELECT handler_id, sum(n) AS retrying FROM (
              SELECT handler_id, count(next_at) AS n FROM added GROUP BY handler_id
              UNION ALL SELECT handler_id, -count(next_at) FROM gone GROUP BY handler_id) d
            GROUP BY handler_id) c
          WHERE handler.id = c.handler_id AND c.retrying <> 0;
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER delivery_added AFTER INSERT ON revoked.delivery REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION revoked.count_deliveries();
      CREATE TRIGGER delivery_changed AFTER UPDATE ON revoked.delivery
        REFERENCING OLD TABLE AS gone NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION revoked.count_deliveries();
      CREATE TRIGGER delivery_removed AFTER DELETE ON revoked.delivery REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION revoked.count_deliveries();
      """
  }
#endif
