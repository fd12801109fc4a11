BEGIN TRANSACTION;
CREATE TABLE delivery (
  handler_id INTEGER NOT NULL,
  event_seq INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  attempted_at INTEGER NOT NULL,
  next_at INTEGER,
  last_error TEXT NOT NULL, attempt_times TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (handler_id, event_seq)
) STRICT, WITHOUT ROWID;
INSERT INTO delivery VALUES(1,2,3,2500,NULL,'no route','2300 2400 2500');
INSERT INTO delivery VALUES(2,1,1,2600,9000,'timeout','2600');
CREATE TABLE feed_epoch (
  first_seq INTEGER PRIMARY KEY,
  id INTEGER NOT NULL
) STRICT;
INSERT INTO feed_epoch VALUES(1,2882400001);
INSERT INTO feed_epoch VALUES(3,305419896);
CREATE TABLE handler (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  position INTEGER NOT NULL,
  added_at INTEGER NOT NULL
, retrying INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0, removed_at INTEGER) STRICT;
INSERT INTO handler VALUES(1,'log',4,1000,0,1,NULL);
INSERT INTO handler VALUES(2,'forward',2,1000,1,0,NULL);
CREATE TABLE retention (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  period INTEGER NOT NULL,
  former INTEGER NOT NULL,
  former_until INTEGER NOT NULL
) STRICT;
CREATE TABLE tally (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_event INTEGER NOT NULL DEFAULT 0,
  last_revocation INTEGER NOT NULL DEFAULT 0,
  events INTEGER NOT NULL DEFAULT 0,
  revocations INTEGER NOT NULL DEFAULT 0,
  undecodable INTEGER NOT NULL DEFAULT 0,
  last_received_at INTEGER,
  probes INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO tally VALUES(1,4,3,4,2,1,2004,5);
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  name TEXT,
  problem TEXT,
  messages TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  occurred_at INTEGER,
  body BLOB NOT NULL
) STRICT;
INSERT INTO event VALUES(1,X'00000000000000000000000000000001','user.session.revoked',NULL,'m-1 m-2',2001,1500,X'010203');
INSERT INTO event VALUES(2,X'00000000000000000000000000000002','user.created',NULL,'m-3',2002,NULL,X'07');
INSERT INTO event VALUES(3,X'00000000000000000000000000000003',NULL,'the body is not JSON','',2003,NULL,X'ff');
INSERT INTO event VALUES(4,X'00000000000000000000000000000004','admin.user.session.revoked',NULL,'m-4',2004,1504,X'04');
CREATE TABLE revocation (
  seq INTEGER PRIMARY KEY,
  session BLOB NOT NULL,
  revoked_at INTEGER NOT NULL,
  revoked_by TEXT NOT NULL,
  remember_from INTEGER NOT NULL,
  event_seq INTEGER NOT NULL,
  event_id TEXT
) STRICT;
INSERT INTO revocation VALUES(2,X'00000000000000000000000000000066',1004,'admin',604,4,NULL);
INSERT INTO revocation VALUES(3,X'00000000000000000000000000000065',1001,'user',801,1,'event-1');
CREATE TABLE key_run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  indexed TEXT NOT NULL,
  level INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  fences BLOB,
  filter BLOB
) STRICT;
INSERT INTO key_run VALUES(1,'event',0,4,X'b66a4ca8a1304074',X'5490600010018023');
INSERT INTO key_run VALUES(2,'revocation',0,3,X'67810c63265b8d45',X'0000108d40000010');
CREATE TABLE key_block (
  id INTEGER PRIMARY KEY,
  entries BLOB NOT NULL
) STRICT;
INSERT INTO key_block VALUES(1048576,X'b66a4ca8a13040740100000000000000287c686efdaa507d020000000000000090626c019a187f940400000000000000c985a61c06d899b80300000000000000');
INSERT INTO key_block VALUES(2097152,X'67810c63265b8d450300000000000000436f9317241dc0910200000000000000');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('key_run',2);
CREATE INDEX delivery_due ON delivery (handler_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX delivery_dead ON delivery (handler_id, event_seq) WHERE next_at IS NULL;
CREATE TRIGGER delivery_added AFTER INSERT ON delivery BEGIN
  UPDATE handler SET
    retrying = retrying + (NEW.next_at IS NOT NULL), dead = dead + (NEW.next_at IS NULL)
  WHERE id = NEW.handler_id;
END;
CREATE TRIGGER delivery_changed AFTER UPDATE OF next_at ON delivery
WHEN (OLD.next_at IS NULL) <> (NEW.next_at IS NULL) BEGIN
  UPDATE handler SET
    retrying = retrying + (NEW.next_at IS NOT NULL) - (OLD.next_at IS NOT NULL),
    dead = dead + (NEW.next_at IS NULL) - (OLD.next_at IS NULL)
  WHERE id = NEW.handler_id;
END;
CREATE TRIGGER delivery_removed AFTER DELETE ON delivery BEGIN
  UPDATE handler SET
    retrying = retrying - (OLD.next_at IS NOT NULL), dead = dead - (OLD.next_at IS NULL)
  WHERE id = OLD.handler_id;
END;
CREATE INDEX event_undecodable ON event (seq) WHERE problem IS NOT NULL;
COMMIT;
PRAGMA application_id = 1920363364;
PRAGMA user_version = 7;
