#if PostgreSQL
  extension Schema {
    /// The key of the lock that appends take. Every number that is given out is given out under it.
    static let appendLock = 0x7276_6B31
    /// The key of the lock that makes one node at a time look after the schema.
    static let migrationLock = 0x7276_6B32

    /// Those that a node calls, and those that they call.
    static let functionNames = ["append_1", "append_again_1", "claim_1", "record_1"]

    /// One batch is one call, one message and one transaction. Names end in their version: a release that changes one
    /// makes a new one beside it, which older nodes do not call.
    static let functions = """
      -- Events are distinct by key, sessions and cut-offs by id; `session_places` and `cutoff_places` say which event
      -- each comes from, counted from 1, and `session_numbers` and `cutoff_numbers` their common order in the feed.
      -- Returns the places of the events that were not stored before, and the newest number of the feed.
      CREATE FUNCTION revoked.append_1(
        keys uuid[], sources text[], names text[], problems text[], messages text[], received bigint[],
        occurred bigint[], bodies bytea[],
        sessions uuid[], session_numbers integer[], session_places integer[], revoked_ats bigint[],
        revoked_bys text[], remembers bigint[], event_ids text[],
        cutoff_kinds text[], cutoff_ids uuid[], cutoff_numbers integer[], cutoff_befores bigint[],
        cutoff_expiries bigint[], cutoff_places integer[],
        heard_at bigint,
        OUT stored bigint[], OUT last_revocation bigint
      ) LANGUAGE plpgsql AS $$
      DECLARE
        event_base bigint;
        revocation_base bigint;
        newest bigint;
        newest_cutoff bigint;
        moved_sessions bigint := 0;
        moved_cutoffs bigint := 0;
      BEGIN
        -- Each statement must see what was committed before it got the lock.
        IF current_setting('transaction_isolation') <> 'read committed' THEN
          RAISE EXCEPTION 'appends need the isolation level read committed';
        END IF;
        IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
          PERFORM set_config('synchronous_commit', 'on', true);
        END IF;
        PERFORM pg_advisory_xact_lock(\(appendLock));

        SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO event_base FROM revoked.event_number;
        SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO revocation_base FROM revoked.revocation_number;
        newest := event_base;

        IF cardinality(keys) > 0 THEN
          WITH fresh AS (
            INSERT INTO revoked.event (seq, key, source, name, problem, messages, received_at, occurred_at, body)
            SELECT event_base + given.place, given.key, given.source, given.name, given.problem, given.messages,
              given.received, given.occurred, given.body
            FROM unnest(keys, sources, names, problems, messages, received, occurred, bodies)
              WITH ORDINALITY AS given (key, source, name, problem, messages, received, occurred, body, place)
            ON CONFLICT (key) DO NOTHING RETURNING seq)
          SELECT array_agg(fresh.seq - event_base), coalesce(max(fresh.seq), event_base) INTO stored, newest FROM fresh;
        END IF;
        -- Also if nothing is new: this writes to the log, so that the commit waits for the disk and the standby, and
        -- a duplicate is not acknowledged before what it repeats.
        PERFORM setval('revoked.event_number', greatest(newest, 1), newest > 0);

        last_revocation := revocation_base;
        IF cardinality(sessions) > 0 THEN
          WITH changed AS (
            INSERT INTO revoked.revocation (seq, session, revoked_at, revoked_by, remember_from, event_seq, event_id)
            SELECT revocation_base + given.number, given.session, given.revoked_at, given.revoked_by,
              given.remember_from, event_base + given.place, given.event_id
            FROM unnest(sessions, session_numbers, session_places, revoked_ats, revoked_bys, remembers, event_ids)
              AS given (session, number, place, revoked_at, revoked_by, remember_from, event_id)
            ON CONFLICT (session) DO UPDATE SET seq = excluded.seq, remember_from = excluded.remember_from
              WHERE revocation.remember_from < excluded.remember_from
            RETURNING seq, xmax <> 0 AS is_moved)
          SELECT coalesce(max(changed.seq), revocation_base), count(*) FILTER (WHERE is_moved)
          INTO last_revocation, moved_sessions FROM changed;
        END IF;

        IF cardinality(cutoff_ids) > 0 THEN
          WITH changed AS (
            INSERT INTO revoked.cutoff (seq, kind, id, before, expires_at, event_seq)
            SELECT revocation_base + given.number, given.kind, given.id, given.before, given.expires_at,
              event_base + given.place
            FROM unnest(cutoff_kinds, cutoff_ids, cutoff_numbers, cutoff_befores, cutoff_expiries, cutoff_places)
              AS given (kind, id, number, before, expires_at, place)
            ON CONFLICT (kind, id) DO UPDATE SET seq = excluded.seq, before = excluded.before,
              event_seq = excluded.event_seq, expires_at = greatest(cutoff.expires_at, excluded.expires_at)
              WHERE excluded.before > cutoff.before
            RETURNING seq, xmax <> 0 AS is_moved)
          SELECT max(changed.seq), count(*) FILTER (WHERE is_moved) INTO newest_cutoff, moved_cutoffs FROM changed;
          last_revocation := greatest(last_revocation, newest_cutoff);
        END IF;
        IF last_revocation > revocation_base THEN PERFORM setval('revoked.revocation_number', last_revocation); END IF;

        IF coalesce(cardinality(stored), 0) < cardinality(keys) THEN
          PERFORM revoked.append_again_1(keys, sources, messages, received, event_base, revocation_base);
        END IF;
        -- Behind the handlers' rows, as in every transaction: one that took them in another order would deadlock.
        IF moved_sessions + moved_cutoffs > 0 THEN
          UPDATE revoked.tally SET departures = departures + moved_sessions + moved_cutoffs;
        END IF;
        IF heard_at IS NOT NULL THEN
          INSERT INTO revoked.heard AS heard (id, at) VALUES (1, heard_at)
          ON CONFLICT (id) DO UPDATE SET at = excluded.at;
        END IF;
      END $$;

      -- What follows for those of the events that are known already: their new messages are noted, dead deliveries of
      -- those that Dynamic sent again go back into the queue, and what was revoked by them belongs to them.
      CREATE FUNCTION revoked.append_again_1(
        keys uuid[], sources text[], given_messages text[], received bigint[], event_base bigint,
        revocation_base bigint
      ) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE
        stored record;
        -- The events' numbers, by their places; NULL: new.
        known bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(keys)]);
        sent bigint[] := '{}';
        one_sent bigint;
        handlers bigint[];
      BEGIN
        -- Each row is found by its whole key, one by one: so no plan reads a table as a whole, also one that was made
        -- while the tables were empty.
        FOR stored IN
          SELECT event.seq, array_position(keys, event.key) AS place FROM revoked.event WHERE key = ANY (keys)
        LOOP
          CONTINUE WHEN stored.seq > event_base;
          known[stored.place] := stored.seq;
          IF sources[stored.place] = 'webhook' THEN sent := sent || stored.seq; END IF;
        END LOOP;

        UPDATE revoked.revocation SET event_seq = known[greatest(event_seq - event_base, 0)::integer]
        WHERE seq > revocation_base AND known[greatest(event_seq - event_base, 0)::integer] IS NOT NULL;
        UPDATE revoked.cutoff SET event_seq = known[greatest(event_seq - event_base, 0)::integer]
        WHERE seq > revocation_base AND known[greatest(event_seq - event_base, 0)::integer] IS NOT NULL;

        -- Sixteen of an event's messages are noted.
        UPDATE revoked.event SET messages = (
          SELECT string_agg(m.id, ' ' ORDER BY m.place) FROM (
            SELECT u.id, min(u.place) AS place
            FROM unnest(string_to_array(event.messages || ' ' || given_messages[array_position(known, event.seq)], ' '))
              WITH ORDINALITY AS u (id, place)
            WHERE u.id <> '' GROUP BY u.id ORDER BY 2 LIMIT 16) m)
        WHERE seq = ANY (known) AND cardinality(string_to_array(messages, ' ')) < 16
          AND NOT string_to_array(messages, ' ')
            @> string_to_array(given_messages[array_position(known, event.seq)], ' ');

        SELECT array_agg(id) INTO handlers FROM revoked.handler
        WHERE EXISTS (
          SELECT FROM unnest(sent) AS given (seq) CROSS JOIN LATERAL (
            SELECT FROM revoked.delivery
            WHERE handler_id = handler.id AND event_seq = given.seq AND next_at IS NULL LIMIT 1) AS dead);
        IF handlers IS NULL THEN RETURN; END IF;
        PERFORM 1 FROM revoked.handler WHERE id = ANY (handlers) ORDER BY id FOR UPDATE;
        FOREACH one_sent IN ARRAY sent LOOP
          UPDATE revoked.delivery SET next_at = received[array_position(known, event_seq)], attempts = 0
          WHERE handler_id = ANY (handlers) AND event_seq = one_sent AND next_at IS NULL;
        END LOOP;
        UPDATE revoked.tally SET changes = changes + 1;
      END $$;

      -- Registers a handler at a node, and claims it where nobody leads. `epoch` is NULL where another node does, and
      -- `wait` says for how many milliseconds at most it has the lease.
      CREATE FUNCTION revoked.claim_1(
        handler_name text, node_name text, wanted text[], now bigint, lease interval, registered interval,
        OUT handler bigint, OUT epoch bigint, OUT start bigint, OUT wait bigint
      ) LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO revoked.handler (name, position, added_at)
        SELECT handler_name, greatest((SELECT max(seq) FROM revoked.event), last_event), now FROM revoked.tally
        WHERE NOT EXISTS (SELECT 1 FROM revoked.handler h WHERE h.name = handler_name)
        ON CONFLICT (name) DO NOTHING;
        INSERT INTO revoked.registration (node, handler, patterns, until)
        VALUES (node_name, handler_name, wanted, clock_timestamp() + registered)
        ON CONFLICT ON CONSTRAINT registration_pkey DO UPDATE SET patterns = excluded.patterns, until = excluded.until;
        UPDATE revoked.handler h SET epoch = h.epoch + 1, owner = node_name, removed_at = NULL,
          lease_until = clock_timestamp() + lease
        WHERE h.name = handler_name
          AND (h.owner IS NULL OR h.owner = node_name OR h.lease_until <= clock_timestamp())
        RETURNING h.id, h.epoch, h.position INTO handler, epoch, start;
        IF epoch IS NULL THEN
          UPDATE revoked.handler h SET removed_at = NULL WHERE h.name = handler_name AND h.removed_at IS NOT NULL;
          SELECT greatest(0, extract(epoch FROM h.lease_until - clock_timestamp()) * 1000)::bigint INTO wait
          FROM revoked.handler h WHERE h.name = handler_name;
        END IF;
      END $$;

      -- Records how attempts ended. Returns whether the epoch is the latest: if not, nothing was recorded.
      CREATE FUNCTION revoked.record_1(
        handler bigint, owner_epoch bigint, new_position bigint, done bigint[],
        events bigint[], numbers integer[], ats bigint[], nexts bigint[], errors text[], times text[]
      ) RETURNS boolean LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE revoked.handler h SET position = greatest(h.position, new_position)
        WHERE h.id = handler AND h.epoch = owner_epoch;
        IF NOT FOUND THEN RETURN false; END IF;
        IF cardinality(done) > 0 THEN
          DELETE FROM revoked.delivery d WHERE d.handler_id = handler AND d.event_seq = ANY (done);
        END IF;
        IF cardinality(events) > 0 THEN
          INSERT INTO revoked.delivery
            (handler_id, event_seq, attempts, attempted_at, next_at, last_error, attempt_times)
          SELECT handler, given.* FROM unnest(events, numbers, ats, nexts, errors, times) AS given
          ON CONFLICT (handler_id, event_seq) DO UPDATE SET attempts = excluded.attempts,
            attempted_at = excluded.attempted_at, next_at = excluded.next_at, last_error = excluded.last_error,
            attempt_times = (
              SELECT coalesce(string_agg(t.at, ' ' ORDER BY t.place), '') FROM (
                SELECT u.at, u.place
                FROM unnest(string_to_array(delivery.attempt_times || ' ' || excluded.attempt_times, ' '))
                  WITH ORDINALITY AS u (at, place)
                WHERE u.at <> '' ORDER BY u.place DESC LIMIT 20) t);
        END IF;
        RETURN true;
      END $$;
      """
  }
#endif
